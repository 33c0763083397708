import { realpath, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { sha256Hex } from '../../lib/hash.ts'

export interface LockOptions {
  /** Abstract sockets are Linux's own (unix(7)); elsewhere a socket file in the temporary folder stands in for them. */
  abstract?: boolean
  /** Where socket files are kept. */
  folder?: string
}

/**
 * Keeps a second process from writing to the file at `path`; gives what lets go of it. Rejects, naming the file, where
 * another process has it. The lock is a listening socket: the kernel lets go of it however the process ends, so there is
 * no stale lock. It binds those that share a network namespace (on Linux) or a temporary folder (elsewhere): containers
 * that share only a volume do not see each other's.
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const { abstract = process.platform === 'linux', folder = tmpdir() } = options
  const full = resolve(path)
  const name = sha256Hex(join(await realpath(dirname(full)), basename(full)))
  // sun_path holds 104 bytes on macOS, most of them taken by its temporary folder.
  const address = abstract ? `\0jeton-audit-${name}` : join(folder, `jeton-audit-${name.slice(0, 16)}.sock`)
  const server = (await listen(address)) ?? (!abstract && (await replaceStale(address)))
  if (!server) throw new Error(`${path}: another process writes to this audit log`)
  return () => new Promise(done => server.close(() => done()))
}

/** Undefined where the address is in use. */
function listen(address: string): Promise<Server | undefined> {
  return new Promise((done, fail) => {
    const server = createServer(socket => socket.destroy())
    server.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? done(undefined) : fail(error),
    )
    server.listen(address, () => done(server.unref()))
  })
}

/** A socket file outlives a process that was killed, but nobody answers on it. */
async function replaceStale(address: string): Promise<Server | undefined> {
  if (await answers(address)) return undefined
  await unlink(address).catch(() => {})
  return listen(address)
}

function answers(address: string): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(address, () => {
      socket.destroy()
      done(true)
    })
    socket.on('error', () => done(false))
  })
}
