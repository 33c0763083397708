import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { HttpReply } from '../../../src/lambda/reply.ts'

/** The function as `npm run build` makes it. */
export const BUNDLE = fileURLToPath(new URL('../../../dist/lambda', import.meta.url))
const BOOTSTRAP = fileURLToPath(new URL('../../world/lambda-bootstrap.mjs', import.meta.url))
const TIMEOUT_MS = 30_000

/** A function's folder: what was deployed, and nothing else anywhere near it. */
export interface Package {
  readonly folder: string
  /** Writes a file beside the code. */
  put(name: string, text: string): Promise<void>
  remove(): Promise<void>
}

/** Copies a bundle, without its source maps, into a folder of its own, far from any node_modules. */
export async function deploy(bundle = BUNDLE): Promise<Package> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-'))
  await cp(bundle, folder, { recursive: true, filter: source => !source.endsWith('.map') })
  return {
    folder,
    put: (name, text) => writeFile(join(folder, name), text),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export interface LambdaOptions {
  /** The function's whole environment, beside what Lambda itself sets. */
  env: Record<string, string>
  /** What runs it: another Node than this one, say. */
  node?: readonly string[]
  /** Whether it is frozen between requests, as it is on Lambda; the default. */
  freezes?: boolean
}

/** A sandbox of a function on Lambda: one process, asked one event after the other. */
export interface Lambda {
  /** What the handler gives; rejects with what it threw, and where the process ends. */
  invoke(event: object): Promise<HttpReply>
  /** Lines so far. What a frozen process has written is all here soon, and then nothing more comes. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  /** Whether it stands still just now. */
  isFrozen(): boolean
  close(): Promise<void>
}

interface Waiting {
  readonly event: object
  resolve(reply: HttpReply): void
  reject(cause: Error): void
}

/**
 * Lambda's Runtime API over HTTP and a fresh process behind it. The process is stopped (SIGSTOP) in the moment it has
 * replied, or has nothing to do, and goes on (SIGCONT) with the next event.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startLambda(
  { folder }: Pick<Package, 'folder'>,
  { env, node = [process.execPath], freezes = true }: LambdaOptions,
): Promise<Lambda> {
  const waiting: Waiting[] = []
  const running = new Map<string, Waiting>()
  let poll: ServerResponse | undefined
  let isFrozen = false

  function freeze() {
    if (!freezes) return
    isFrozen = true
    child.kill('SIGSTOP')
  }

  function thaw() {
    isFrozen = false
    child.kill('SIGCONT')
  }

  function handOver() {
    const next = poll && waiting.shift()
    if (!poll || !next) return
    const id = randomUUID()
    running.set(id, next)
    poll
      .writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': id,
        'lambda-runtime-deadline-ms': String(Date.now() + TIMEOUT_MS),
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:123456789012:function:jeton',
      })
      .end(JSON.stringify(next.event))
    poll = undefined
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    const path = request.url?.replace('/2018-06-01/runtime/', '') ?? ''
    if (path === 'invocation/next') {
      poll = response
      if (waiting.length === 0) freeze()
      return handOver()
    }
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    await new Promise<void>(resolve => response.writeHead(202).end(resolve))
    const [, id = '', kind] = path.split('/')
    const { resolve, reject } = running.get(id) ?? {}
    running.delete(id)
    if (waiting.length === 0) freeze()
    if (kind === 'response') resolve?.(JSON.parse(body) as HttpReply)
    else reject?.(new Error(body))
  }

  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const [program = process.execPath, ...args] = node
  const child = spawn(program, [...args, BOOTSTRAP], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_LAMBDA_FUNCTION_NAME: 'jeton',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/23/[$LATEST]0123456789abcdef',
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: 'index.handler',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stdout: string[] = []
  const stderr: string[] = []
  createInterface({ input: child.stdout }).on('line', line => stdout.push(line))
  createInterface({ input: child.stderr }).on('line', line => stderr.push(line))
  const ended = once(child, 'close').then(() => {
    for (const { reject } of [...waiting, ...running.values()])
      reject(new Error(`the function ended: ${stderr.join('\n')}`))
  })

  return {
    stdout,
    stderr,
    isFrozen: () => isFrozen,
    invoke: event =>
      new Promise((resolve, reject) => {
        waiting.push({ event, resolve, reject })
        thaw()
        handOver()
      }),
    async close() {
      child.kill('SIGKILL')
      await ended
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
