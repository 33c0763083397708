import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ExitCode, startProgram } from './started-program.ts'

/** The CLI that `npm run build` makes. */
export const CLI = fileURLToPath(new URL('../../../dist/cli.mjs', import.meta.url))

export interface JetonOptions {
  /** The content of the configuration file. */
  config: object
  /** The process's whole environment, besides PATH. */
  env: Record<string, string>
  /** For the configuration and logs; unless given, a new one that `close` removes. */
  folder?: string
  args?: readonly string[]
  /** The options of the address; unless given, a free port instead of the configured one. */
  listen?: readonly string[]
  /** The command that runs the CLI; this Node unless given. */
  node?: readonly string[]
  /** The CLI of another release; this build's unless given. */
  cli?: string | undefined
}

/** A `jeton serve` in a process of its own. */
export interface Jeton {
  readonly url: string
  /** The URL of the admin listener, if the configuration has one. */
  readonly admin: string | undefined
  /** The URL of the console, if it is on. */
  readonly console: string | undefined
  readonly folder: string
  readonly configFile: string
  readonly process: ChildProcess
  /** Lines so far, without the first, which says where it listens. */
  readonly stdout: readonly string[]
  /** Lines so far. */
  readonly stderr: readonly string[]
  readonly ended: Promise<ExitCode>
  /** Replaces the configuration file; SIGHUP makes the server read it. */
  configure(config: object): Promise<void>
  /** Returns the first line on stderr with this text, as soon as there is one. */
  logged(text: string): Promise<string>
  /** `POST /v1/tokens`. */
  requestToken(
    authorization: string,
    body: object,
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>
  /** Ends it with SIGTERM, waits, and removes the folder unless it was given. */
  close(): Promise<void>
}

/** Starts `jeton serve` on a free port and waits until it listens. Throws with its stderr if it ends before that. */
export async function startJeton({
  config,
  env,
  folder: givenFolder,
  args = [],
  listen = ['--port', '0'],
  node = [process.execPath],
  cli = CLI,
}: JetonOptions): Promise<Jeton> {
  const folder = givenFolder ?? (await mkdtemp(join(tmpdir(), 'jeton-')))
  const configFile = join(folder, 'jeton.json')
  const configure = (changed: object) => writeFile(configFile, JSON.stringify(changed))
  await configure(config)

  const [program = process.execPath, ...nodeArgs] = node
  const started = startProgram(
    [program, ...nodeArgs, cli, 'serve', '--config', configFile, ...listen, ...args],
    // the signal that ends this process when its terminal closes only makes a server read its configuration again
    { env, lastSignal: 'TERM', leftover: configFile },
  )
  const { process: child, stdout, stderr, ended } = started
  const firstLine = await started.until(() => stdout.shift())
  const { url, admin, console } = JSON.parse(firstLine) as { url: string; admin?: string; console?: string }

  return {
    url,
    admin,
    console,
    folder,
    configFile,
    process: child,
    stdout,
    stderr,
    ended,
    configure,
    logged: text => started.until(() => stderr.find(line => line.includes(text))),
    async requestToken(authorization, body) {
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
      await started.stop()
      if (givenFolder === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface CliResult {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

/** Runs the CLI to its end. */
export async function runCli(
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string; cwd?: string; cli?: string | undefined } = {},
): Promise<CliResult> {
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
