import { lstatSync, unlinkSync } from 'node:fs'
import { chmod, lstat } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { systemCode, systemCodeNote } from '../../../lib/system-error.ts'
import { type CallerError, failure } from '../../errors.ts'
import type { LocalAddress } from './local-address.ts'

export interface LocalServer {
  /** That of 127.0.0.1, or the one in the name of the socket. */
  readonly port: number
  /** Accepts nobody any more, and removes the socket. */
  close(): void
}

/** Where connections wait until they are accepted: many come at once when a program starts. */
const BACKLOG = 4096
const LOOPBACK = '127.0.0.1'
/** Nobody but the owner may connect. */
const SOCKET_MODE = 0o600
const SOCKET_UMASK = 0o177

/**
 * Listens at a socket of this user alone, or on loopback. A socket that a dead proxy left behind is replaced; one that answers is
 * not. Rejects with CallerError.
 */
export async function listenLocally(
  address: LocalAddress,
  onConnection: (socket: Socket) => void,
): Promise<LocalServer> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection)
  if (address.path === undefined) {
    await listen(server, { port: address.port })
    const bound = server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
    return { port, close: () => void server.close() }
  }
  await removeStale(address.path)
  await listen(server, { path: address.path })
  await chmod(address.path, SOCKET_MODE)
  return { port: address.port, close: () => void server.close() }
}

function listen(server: Server, address: { path?: string; port?: number }): Promise<void> {
  const { path, port } = address
  return new Promise((resolve, reject) => {
    server.once('error', cause => reject(cannotListen(address, cause)))
    if (path === undefined) return server.listen({ host: LOOPBACK, port, backlog: BACKLOG }, resolve)
    // the socket is made within the call: at no moment may others connect to it
    const umask = process.umask(SOCKET_UMASK)
    try {
      server.listen({ path, backlog: BACKLOG }, resolve)
    } finally {
      process.umask(umask)
    }
  })
}

function cannotListen({ path, port }: { path?: string; port?: number }, cause: Error): CallerError {
  const place = path ?? `${LOOPBACK}:${port}`
  if (systemCode(cause) === 'EADDRINUSE')
    return failure(`another program listens at ${place}: end it, or give another port`, cause)
  const remedy =
    path === undefined
      ? 'give another port, by --port or as in DATABASE:PORT'
      : // Node says EACCES of a folder that is missing, too
        'is its folder there, and may it be written to?'
  return failure(`cannot listen at ${place}${systemCodeNote(cause)}: ${remedy}`, cause)
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw failure(`${path} is there, and is no socket: remove it, or give --socket-dir`)
  if (await isAnswered(path))
    throw failure(
      `another program, such as a proxy that runs already, listens at ${path}: end it, or give --socket-dir or DATABASE:PORT`,
    )
  // another proxy may have come first; nothing else happens between this look and the removal
  const current = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (current === undefined) return
  if (current.ino !== found.ino || current.ctimeNs !== found.ctimeNs) return removeStale(path)
  try {
    unlinkSync(path)
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw failure(`cannot remove ${path}${systemCodeNote(cause)}`, cause)
  }
}

/** A socket that is full, or that may not be connected to, is somebody's, too. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', cause => resolve(!['ECONNREFUSED', 'ENOENT'].includes(systemCode(cause) ?? '')))
  })
}
