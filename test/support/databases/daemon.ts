import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import type { Home } from './server-folder.ts'

export interface Daemon {
  /** Ends the process and waits until it is gone; may be called again. */
  stop(): Promise<void>
}

export interface Program {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Record<string, string>
  /** What it reads on stdin. */
  readonly input?: string
}

/** Runs a program in a home to its end; rejects with the end of what it printed where it fails. */
export async function runAt(home: Home, program: Program): Promise<void> {
  const child = start(home, program)
  const said = tail(child)
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${program.file} failed (${code}): ${said()}`)
}

/**
 * Starts a server in a home and resolves when `ready` matches what it prints; rejects with the end of what it printed where
 * it ends before. It ends by `signal`: when it is stopped, and, by the home's guard, when this process is gone.
 */
export async function startDaemon(
  home: Home,
  program: Program & { ready: RegExp; signal: 'QUIT' | 'KILL' },
): Promise<Daemon> {
  const child = start(home, program)
  const said = tail(child)
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()))
  if (child.pid) home.guard(child.pid, program.signal)
  const stop = async () => {
    child.kill(`SIG${program.signal}`)
    await gone
  }
  await new Promise<void>((resolve, reject) => {
    const look = () => program.ready.test(said()) && resolve()
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.once('error', reject)
    child.once('close', code => reject(new Error(`${program.file} ended (${code}): ${said()}`)))
  })
  return { stop }
}

/** Calls `start` with a port that was free a moment ago, and again with others where it fails for one that was taken since. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort())
    } catch (cause) {
      if (attempt === 3 || !/address already in use/i.test(String(cause))) throw cause
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

function start(home: Home, { file, args, env = {}, input }: Program): ChildProcess {
  const child = spawn(file, args, {
    ...home.user,
    cwd: home.folder,
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', ...env },
    // Ctrl-C at a terminal is for us; the server is stopped by us or by its guard.
    detached: true,
  })
  child.stdin?.on('error', () => {}).end(input)
  return child
}

/** The last of what a child printed, for error messages. */
function tail(child: ChildProcess): () => string {
  let text = ''
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000)
  }
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  return () => text
}
