import { open, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { systemCode } from '../../lib/system-error.ts'

/** sun_path holds 108 bytes on Linux and 104 on macOS, one of them for its end; Node cuts a longer path without a word. */
const MAX_ADDRESS_BYTES = process.platform === 'linux' ? 107 : 103
/** A process that does not answer is there, but stopped or busy. */
const ANSWER_TIMEOUT_MS = 2000

/** What a process says of itself on its socket: whether it has the lock, or wants it. */
export type LockState = 'held' | 'wanted'

/** A folder in which sockets are bound and found by name, however long its path is. */
export interface SocketFolder {
  readonly path: string
  addressOf(name: string): string
  close(): Promise<void>
}

/** Opens a folder. Throws if the addresses of its sockets would be too long, which on Linux they never are. */
export async function openSocketFolder(
  path: string,
  { longestName }: { longestName: string },
): Promise<SocketFolder> {
  const isShort = Buffer.byteLength(join(path, longestName)) <= MAX_ADDRESS_BYTES
  if (isShort) return { path, addressOf: name => join(path, name), close: async () => {} }
  if (process.platform !== 'linux')
    throw new Error(`${path}: the path of the folder is too long for a lock in it: at most 64 bytes are safe`)
  const handle = await open(path, 'r')
  return { path, addressOf: name => `/proc/self/fd/${handle.fd}/${name}`, close: () => handle.close() }
}

/**
 * Listens under `name`, and tells whoever connects the state. The name appears only once the socket listens, so that a name
 * on which nobody listens is that of a process that has ended. Returns a function that ends it.
 */
export async function listenAs(
  name: string,
  { folder, stateOf }: { folder: SocketFolder; stateOf: () => LockState },
): Promise<() => Promise<void>> {
  const temporary = `${name}.new`
  const server = await listen(folder.addressOf(temporary), stateOf)
  const close = () => new Promise<void>(resolve => server.close(() => resolve()))
  try {
    await rename(join(folder.path, temporary), join(folder.path, name))
  } catch (cause) {
    await close()
    throw cause
  }
  return async () => {
    await rm(join(folder.path, name), { force: true }).catch(() => {})
    await close()
  }
}

function listen(address: string, stateOf: () => LockState): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket: Socket) => {
      socket.on('error', () => {})
      socket.end(stateOf(), () => socket.destroy())
    })
    server.on('error', reject)
    server.listen(address, () => resolve(server.unref()))
  })
}

/** Returns what the process says that listens at `address`; undefined if none does. Silence counts as `held`. */
export function askState(address: string): Promise<LockState | undefined> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(address)
    const end = (state: LockState | undefined) => {
      socket.destroy()
      resolve(state)
    }
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end('held'))
    socket.setEncoding('utf8').on('data', text => {
      answer += text
    })
    socket.on('end', () => end(answer === 'wanted' ? 'wanted' : 'held'))
    socket.on('error', error => {
      const code = systemCode(error) ?? ''
      if (['ECONNREFUSED', 'ENOENT'].includes(code)) end(undefined)
      // it ended while it answered: the next question tells
      else if (['ECONNRESET', 'EPIPE'].includes(code)) end('wanted')
      else reject(error)
    })
  })
}
