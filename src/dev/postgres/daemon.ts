import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import type { PrivateFolder } from '../private-folder.ts'

export interface Daemon {
  /** Ends the process and waits until it is gone; can be called again. */
  stop(): Promise<void>
}

export interface Program {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Record<string, string>
  /** Its stdin. */
  readonly input?: string
}

/** Runs a program in a server's folder to its end, or that of this process; if it fails, rejects with the end of its output. */
export async function runIn(folder: PrivateFolder, program: Program): Promise<void> {
  const child = start(folder, program)
  const output = collectTail(child)
  folder.killOnExit(child, 'TERM')
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${program.file} failed (${code}): ${output()}`)
}

/**
 * Starts a server in its folder and resolves when its output matches `ready`; if it ends before that, rejects with the end of
 * its output. `signal` ends it when it is stopped and when this process is gone.
 */
export async function startDaemon(
  folder: PrivateFolder,
  program: Program & { ready: RegExp; signal: 'QUIT' | 'KILL' },
): Promise<Daemon> {
  const child = start(folder, program)
  const output = collectTail(child)
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()))
  folder.killOnExit(child, program.signal)
  const stop = async () => {
    child.kill(`SIG${program.signal}`)
    await gone
  }
  await new Promise<void>((resolve, reject) => {
    const checkReady = () => program.ready.test(output()) && resolve()
    child.stdout?.on('data', checkReady)
    child.stderr?.on('data', checkReady)
    child.once('error', reject)
    child.once('close', code => reject(new Error(`${program.file} ended (${code}): ${output()}`)))
  })
  return { stop }
}

/** Calls `start` with a free port; if another process takes it first, tries others, three in all. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await findFreePort())
    } catch (cause) {
      if (attempt === 3 || !/address already in use/i.test(String(cause))) throw cause
    }
  }
}

/** Returns a port of an address that nobody listens at now: for programs that must be told one. */
export async function findFreePort(address = '127.0.0.1'): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, address, resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

function start(folder: PrivateFolder, { file, args, env = {}, input }: Program): ChildProcess {
  const child = spawn(file, args, {
    ...folder.user,
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', ...env },
    // Ctrl-C at a terminal must end this process only, which then stops the server.
    detached: true,
  })
  child.stdin?.on('error', () => {}).end(input)
  return child
}

/** Returns a function that returns the end of what a child printed. */
function collectTail(child: ChildProcess): () => string {
  let text = ''
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-4000)
  }
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  return () => text
}
