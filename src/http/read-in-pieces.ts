import { Readable } from 'node:stream'

/** TLS keeps an encrypted copy of what it was given and the client has not taken: no more than this. */
const PIECE_BYTES = 16 * 1024

/**
 * Returns a stream of bytes that reads them as its consumer takes them, for a reply of some size over TLS. A bare socket needs
 * none: whatever the client has not taken, it keeps the bytes that it was given, and copies nothing.
 */
export function readInPieces(bytes: Buffer): Readable {
  let position = 0
  return new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      if (position >= bytes.length) return void this.push(null)
      this.push(bytes.subarray(position, position + PIECE_BYTES))
      position += PIECE_BYTES
    },
  })
}
