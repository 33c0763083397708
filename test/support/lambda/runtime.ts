import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { listenOnLoopback } from '../../../src/dev/loopback-server.ts'
import type { HttpReply } from '../../../src/lambda/reply.ts'

/** The bundle that `npm run build` makes. */
export const BUNDLE = fileURLToPath(new URL('../../../dist/lambda', import.meta.url))
const BOOTSTRAP = fileURLToPath(new URL('./lambda-bootstrap.mjs', import.meta.url))
const TIMEOUT_MS = 30_000

/** The folder of a deployed function, with nothing else near it. */
export interface DeployedFunction {
  readonly folder: string
  /** Writes a file next to the code. */
  put(name: string, text: string): Promise<void>
  remove(): Promise<void>
}

/** Copies a bundle into a folder of its own, far from any node_modules. */
export async function deployFunction(bundle = BUNDLE): Promise<DeployedFunction> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-'))
  await cp(bundle, folder, { recursive: true })
  return {
    folder,
    put: (name, text) => writeFile(join(folder, name), text),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

export interface LambdaOptions {
  /** The function's whole environment, besides what Lambda itself sets. */
  env: Record<string, string>
  /** The command that runs it; this Node unless given. */
  node?: readonly string[]
  /** Whether it is frozen between events, as on Lambda; true unless given. */
  freezes?: boolean
}

/** An execution environment of a Lambda function: one process that handles one event after the other. */
export interface Lambda {
  /** Returns the handler's reply; rejects if the handler throws or the process ends. */
  invoke(event: object | null): Promise<HttpReply>
  /** Lines so far. Soon after a freeze all lines are here, and no more come. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  /** Whether the process is stopped now. */
  isFrozen(): boolean
  close(): Promise<void>
}

interface Invocation {
  readonly event: object | null
  resolve(reply: HttpReply): void
  reject(cause: Error): void
}

/**
 * Starts a new process behind Lambda's Runtime API. The process is stopped (SIGSTOP) as soon as it has replied or has nothing
 * to do, and continues (SIGCONT) with the next event.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startLambda(
  { folder }: Pick<DeployedFunction, 'folder'>,
  { env, node = [process.execPath], freezes = true }: LambdaOptions,
): Promise<Lambda> {
  const queued: Invocation[] = []
  const running = new Map<string, Invocation>()
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

  function sendNextEvent() {
    const next = poll && queued.shift()
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
      if (queued.length === 0) freeze()
      return sendNextEvent()
    }
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    await new Promise<void>(resolve => response.writeHead(202).end(resolve))
    const [, id = '', kind] = path.split('/')
    const { resolve, reject } = running.get(id) ?? {}
    running.delete(id)
    if (queued.length === 0) freeze()
    if (kind === 'response') resolve?.(JSON.parse(body) as HttpReply)
    else reject?.(new Error(body))
  }

  const server = createServer((request, response) => void serve(request, response))
  const runtimeApi = await listenOnLoopback(server)
  const [program = process.execPath, ...args] = node
  const child = spawn(program, [...args, BOOTSTRAP], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${runtimeApi.port}`,
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
    for (const { reject } of [...queued, ...running.values()])
      reject(new Error(`the function ended: ${stderr.join('\n')}`))
  })

  return {
    stdout,
    stderr,
    isFrozen: () => isFrozen,
    invoke: event =>
      new Promise((resolve, reject) => {
        queued.push({ event, resolve, reject })
        thaw()
        sendNextEvent()
      }),
    async close() {
      child.kill('SIGKILL')
      await ended
      await runtimeApi.close()
    },
  }
}
