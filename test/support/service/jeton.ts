import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The CLI as `npm run build` makes it. */
export const CLI = fileURLToPath(new URL('../../../dist/cli.mjs', import.meta.url))

export interface JetonOptions {
  /** The configuration, as it would stand in the file. */
  config: object
  /** The process's whole environment, beside PATH. */
  env: Record<string, string>
  /** Where the configuration and the logs go; made, and removed at the end, where it is not given. */
  folder?: string
  args?: readonly string[]
  /** What runs the CLI: another Node than this one, say. */
  node?: readonly string[]
  /** The CLI of another release, if not this one's. */
  cli?: string | undefined
}

/** A real `jeton serve` in a process of its own. */
export interface Jeton {
  readonly url: string
  /** Where /metrics is, where the configuration has it. */
  readonly admin: string | undefined
  readonly folder: string
  readonly configFile: string
  readonly process: ChildProcess
  /** Lines of stdout so far, without the first; of stderr. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** Writes the configuration anew; SIGHUP makes the server read it. */
  configure(config: object): Promise<void>
  /** Resolves once stderr has a line with this text, also one written before. */
  logged(text: string): Promise<string>
  /** `POST /v1/tokens`. */
  ask(
    authorization: string,
    body: object,
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>
  /** Ends it with SIGTERM, waits, and removes the folder that it made. */
  close(): Promise<void>
}

export async function startJeton({
  config,
  env,
  folder: given,
  args = [],
  node = [process.execPath],
  cli = CLI,
}: JetonOptions): Promise<Jeton> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'jeton-')))
  const configFile = join(folder, 'jeton.json')
  const configure = (changed: object) => writeFile(configFile, JSON.stringify(changed))
  await configure(config)

  const [program = process.execPath, ...before] = node
  const child = spawn(program, [...before, cli, 'serve', '--config', configFile, '--port', '0', ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const stdout = linesOf(child.stdout)
  const stderr = linesOf(child.stderr)
  const first = await Promise.race([stdout.next(), ended.then(() => undefined)])
  if (first === undefined) throw new Error(`jeton ended before it listened: ${stderr.lines.join('\n')}`)
  const { url, admin } = JSON.parse(first) as { url: string; admin?: string }

  return {
    url,
    admin,
    folder,
    configFile,
    process: child,
    stdout: stdout.lines,
    stderr: stderr.lines,
    ended,
    configure,
    logged: text => stderr.find(text),
    async ask(authorization, body) {
      const response = await fetch(`${url}/v1/tokens`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return {
        status: response.status,
        body: (await response.json()) as Record<string, unknown>,
        headers: response.headers,
      }
    },
    async close() {
      child.kill('SIGTERM')
      await ended
      if (given === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The lines of a stream as they come. */
function linesOf(stream: NodeJS.ReadableStream) {
  const lines: string[] = []
  let waiting: (() => void)[] = []
  createInterface({ input: stream }).on('line', line => {
    lines.push(line)
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  })
  const more = () => new Promise<void>(resolve => waiting.push(resolve))
  return {
    lines,
    /** The first line, taken out. */
    async next(): Promise<string> {
      while (lines.length === 0) await more()
      return lines.shift() as string
    },
    async find(text: string): Promise<string> {
      for (;;) {
        const found = lines.find(line => line.includes(text))
        if (found !== undefined) return found
        await more()
      }
    },
  }
}

export interface Ran {
  readonly code: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real CLI to its end. */
export async function runCli(
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string; cwd?: string; cli?: string | undefined } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [options.cli ?? CLI, ...args], {
    env: { PATH: process.env.PATH ?? '', ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdio: 'pipe',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', chunk => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', chunk => (stderr += chunk))
  child.stdin.on('error', () => {}).end(options.input ?? '')
  const [code, signal] = await once(child, 'close')
  return { code: code ?? signal, stdout, stderr }
}
