import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JetonFront } from '../service/jeton-front.ts'
import { type ExitCode, startProgram } from '../service/started-program.ts'

/** The callers' commands as they are built in one file. */
export const ONE_FILE = fileURLToPath(new URL('../../../dist/jeton.mjs', import.meta.url))
const SETTABLE_CLOCK = fileURLToPath(new URL('settable-clock.mjs', import.meta.url))

export interface ProxyOptions {
  /** As in `orders` or `orders:5433`. */
  databases: readonly string[]
  /** Options besides. */
  args?: readonly string[]
  /** The jeton that it asks. */
  front: Pick<JetonFront, 'url'>
  apiKey: string
  /** The folder for sockets, unless it listens on ports; a new one unless given. */
  folder?: string
  /** Whether the proxy chooses the folder itself. */
  isDefaultFolder?: boolean
  env?: Readonly<Record<string, string>>
}

/** Where a client of one database connects to. */
export interface LocalEndpoint {
  readonly socket?: string
  readonly port?: number
}

/** A `jeton proxy` in a process of its own. */
export interface ProxyProcess {
  readonly process: ChildProcess
  readonly pid: number
  readonly folder: string
  /** Where it said that it listens. */
  endpoint(database: string): LocalEndpoint
  /** Lines so far. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  readonly ended: Promise<ExitCode>
  /** Resolves with the first line on stderr that has this text, once there is one. */
  logged(text: string): Promise<string>
  /** Puts its clock forward. */
  advance(ms: number): Promise<void>
  /** The memory that it has, in bytes. Needs Linux's /proc. */
  residentBytes(): Promise<number>
  /** All that it has read so far, in bytes. Needs Linux's /proc. */
  bytesRead(): Promise<number>
  /** Kills it, if it still runs, and removes its folder unless it was given. */
  close(): Promise<void>
}

/** Starts a proxy and waits until it has said where it listens for each database. Rejects with what it printed if it ends before that. */
export async function startProxy(options: ProxyOptions): Promise<ProxyProcess> {
  const {
    databases,
    args = [],
    front,
    apiKey,
    folder,
    isDefaultFolder = args.includes('--port'),
    env = {},
  } = options
  const ownFolder = folder ?? (await mkdtemp(join(tmpdir(), 'proxy-')))
  const where = isDefaultFolder ? [] : ['--socket-dir', ownFolder]
  const command = [process.execPath, '--import', SETTABLE_CLOCK, ONE_FILE, 'proxy', ...databases, ...args]
  const program = startProgram([...command, ...where], {
    env: { JETON_URL: front.url, JETON_API_KEY: apiKey, ...env },
    hasMessages: true,
    lastSignal: 'KILL',
    leftover: join(ownFolder, 'removed'),
  })
  const { process: child, stdout, stderr, ended, until } = program
  try {
    await until(() => stdout[databases.length - 1])
  } catch (cause) {
    if (folder === undefined) await rm(ownFolder, { recursive: true })
    throw cause
  }

  return {
    process: child,
    pid: child.pid as number,
    folder: ownFolder,
    stdout,
    stderr,
    ended,
    endpoint(database) {
      const said = stdout.map(line => JSON.parse(line) as LocalEndpoint & { database?: string })
      const found = said.find(line => line.database === database)
      if (!found) throw new Error(`the proxy does not listen for ${database}: ${stdout.join('\n')}`)
      return found
    },
    logged: text => until(() => stderr.find(line => line.includes(text))),
    async advance(advanceMs) {
      const answered = once(child, 'message')
      child.send({ advanceMs })
      await answered
    },
    residentBytes: async () => 1024 * (await numberIn(`/proc/${child.pid}/status`, /VmRSS:\s+(\d+)/)),
    bytesRead: () => numberIn(`/proc/${child.pid}/io`, /rchar: (\d+)/),
    async close() {
      child.kill('SIGKILL')
      await ended
      if (folder === undefined) await rm(ownFolder, { recursive: true, force: true })
    },
  }
}

async function numberIn(file: string, pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await readFile(file, 'utf8'))?.[1])
}
