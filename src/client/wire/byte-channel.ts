import type { Duplex } from 'node:stream'
import { systemCode } from '../../lib/system-error.ts'
import { protocolError, WireError } from './wire-error.ts'

/** A connection to read messages from, in pieces of whatever size they come, and to write to. */
export interface ByteChannel {
  /** Resolves with so many bytes once they are there. One call at a time. Rejects with WireError if the connection ends. */
  read(length: number): Promise<Buffer>
  write(bytes: Buffer): void
  /** Gives the connection back, to be used by others; returns what came and was not read. */
  release(): Buffer
}

/** Whoever sends more than this, unread, is at no login: a client's longest packet has 64 KB. */
const MAX_UNREAD_BYTES = { server: 256 * 1024, client: 128 * 1024 } as const

/** Returns a channel over a connection that nobody else reads. The connection is ended by whoever opened it. */
export function createByteChannel(
  connection: Duplex,
  { peer = 'server' }: { peer?: 'server' | 'client' } = {},
): ByteChannel {
  const unread = createByteQueue()
  let failure: Error | undefined
  let wake = () => {}

  function fail(cause: Error): void {
    failure ??= cause
    wake()
  }
  const onData = (chunk: Buffer) => {
    unread.add(chunk)
    if (unread.length() > MAX_UNREAD_BYTES[peer]) {
      // nor is more of it kept
      connection.off('data', onData).pause()
      fail(protocolError(`the ${peer} sends more than a login needs`))
    }
    wake()
  }
  const onEnd = () => fail(connectionError(`the ${peer} ended the connection`))
  const onError = (cause: Error) => fail(connectionError('the connection broke', cause))
  connection.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError)

  return {
    async read(length) {
      while (unread.length() < length && failure === undefined)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      if (unread.length() < length) throw failure
      return unread.take(length)
    },
    write: bytes => void connection.write(bytes),
    release() {
      // `error` keeps its listener: without one, it would end the process
      connection.off('data', onData).off('end', onEnd).off('close', onEnd).pause()
      return unread.take(unread.length())
    },
  }
}

/** What is added is copied once or twice, in however small pieces it comes. What is taken stays as it is. */
function createByteQueue() {
  const empty = Buffer.alloc(0)
  let store: Buffer = empty
  let start = 0
  let end = 0
  return {
    length: () => end - start,
    add(chunk: Buffer): void {
      if (end + chunk.length > store.length) {
        const kept = store.subarray(start, end)
        store = Buffer.allocUnsafe(2 * (kept.length + chunk.length))
        end = kept.copy(store)
        start = 0
      }
      end += chunk.copy(store, end)
    },
    take(length: number): Buffer {
      const taken = store.subarray(start, start + length)
      start += length
      // so that an idle session keeps nothing
      if (start === end) {
        store = empty
        start = 0
        end = 0
      }
      return taken
    },
  }
}

/** Returns the error of a connection that ended. */
export function connectionError(message: string, cause?: unknown): WireError {
  return new WireError(message, { failure: 'connection', code: systemCode(cause), cause })
}
