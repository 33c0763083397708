import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startCleanupShell } from '../../../src/dev/cleanup-shell.ts'
import type { JetonFront } from './jeton-front.ts'

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
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
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
  const child = spawn(
    process.execPath,
    ['--import', SETTABLE_CLOCK, ONE_FILE, 'proxy', ...databases, ...args, ...where],
    {
      env: { PATH: process.env.PATH ?? '', JETON_URL: front.url, JETON_API_KEY: apiKey, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  const cleanup = startCleanupShell(join(ownFolder, 'removed'))
  cleanup.watch(child, 'KILL')
  const ended = once(child, 'close').then(([code, signal]) => {
    cleanup.release()
    return (code ?? signal) as number | NodeJS.Signals
  })
  const stdout: string[] = []
  const stderr: string[] = []
  const changed = new EventTarget()
  const collect = (stream: NodeJS.ReadableStream | null, lines: string[]) => {
    if (stream)
      createInterface({ input: stream }).on('line', line => {
        lines.push(line)
        changed.dispatchEvent(new Event('line'))
      })
  }
  collect(child.stdout, stdout)
  collect(child.stderr, stderr)
  const until = async (isThere: () => boolean) => {
    while (!isThere()) await new Promise(resolve => changed.addEventListener('line', resolve, { once: true }))
    return 'there' as const
  }
  const isReady = () => stdout.length === databases.length
  if ((await Promise.race([until(isReady), ended])) !== 'there') {
    if (folder === undefined) await rm(ownFolder, { recursive: true })
    throw new Error(`jeton proxy ended (${await ended}): ${[...stdout, ...stderr].join('\n')}`)
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
    async logged(text) {
      const find = () => stderr.find(line => line.includes(text))
      await until(() => find() !== undefined)
      return find() ?? ''
    },
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
