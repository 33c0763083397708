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

/** Whoever sends more than this, unread, is at no login. */
const MAX_UNREAD_BYTES = 256 * 1024

/** Returns a channel over a connection that nobody else reads. The connection is ended by whoever opened it. */
export function createByteChannel(
  connection: Duplex,
  { peer = 'server' }: { peer?: 'server' | 'client' } = {},
): ByteChannel {
  let unread = Buffer.alloc(0)
  let failure: Error | undefined
  let wake = () => {}

  function fail(cause: Error): void {
    failure ??= cause
    wake()
  }
  const onData = (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk])
    if (unread.length > MAX_UNREAD_BYTES) {
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
      while (unread.length < length && failure === undefined)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      if (unread.length < length) throw failure
      const bytes = unread.subarray(0, length)
      unread = unread.subarray(length)
      return bytes
    },
    write: bytes => void connection.write(bytes),
    release() {
      // `error` keeps its listener: without one, it would end the process
      connection.off('data', onData).off('end', onEnd).off('close', onEnd).pause()
      return unread
    },
  }
}

/** Returns the error of a connection that ended. */
export function connectionError(message: string, cause?: unknown): WireError {
  return new WireError(message, { failure: 'connection', code: systemCode(cause), cause })
}
