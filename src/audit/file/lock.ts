import { realpath, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve as resolvePath } from 'node:path'
import { sha256Hex } from '../../lib/hash.ts'

export interface LockOptions {
  /** Whether to use an abstract socket, which only Linux has (unix(7)), instead of a socket file. Default: on Linux. */
  isAbstract?: boolean
  /** The folder of socket files. */
  folder?: string
}

/**
 * Keeps a second process from writing to the file at `path`. Returns a function that unlocks it. Rejects, naming the
 * file, if another process has it. The lock is a listening socket: the kernel releases it however the process ends, so no
 * lock is ever stale. It binds processes that share a network namespace (on Linux) or a temporary folder (elsewhere):
 * containers that share only a volume do not see each other's locks.
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const { isAbstract = process.platform === 'linux', folder = tmpdir() } = options
  const fullPath = resolvePath(path)
  const name = sha256Hex(join(await realpath(dirname(fullPath)), basename(fullPath)))
  // sun_path holds 104 bytes on macOS, most of them taken by its temporary folder.
  const address = isAbstract ? `\0jeton-audit-${name}` : join(folder, `jeton-audit-${name.slice(0, 16)}.sock`)
  const server = (await listen(address)) ?? (!isAbstract && (await replaceStale(address)))
  if (!server)
    throw new Error(
      `${path}: another process writes to this audit file: give each instance a file of its own`,
    )
  return () => new Promise(resolve => server.close(() => resolve()))
}

/** Returns undefined if the address is in use. */
function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => socket.destroy())
    server.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(address, () => resolve(server.unref()))
  })
}

/** A socket file outlives a process that was killed, but nobody answers on it. */
async function replaceStale(address: string): Promise<Server | undefined> {
  if (await canConnect(address)) return undefined
  await unlink(address).catch(() => {})
  return listen(address)
}

function canConnect(address: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(address, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
