import { createReadStream } from 'node:fs'
import { MAX_LINE_BYTES } from './hash-chain.ts'

/** One line without its newline; `isTooLong` instead of its bytes if it exceeds MAX_LINE_BYTES. */
export type Line =
  | { readonly bytes: Buffer; readonly isTooLong?: never }
  | { readonly isTooLong: true; readonly bytes?: never }

/**
 * Reads the lines of a file, some at a time, in memory bounded by one chunk and the longest line allowed. A last line
 * without a newline counts as one. Ends after a line that is too long. Throws what reading the file throws.
 */
export async function* readLines(path: string): AsyncGenerator<Line[]> {
  let pieces: Buffer[] = []
  let pieceBytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end)
      if (pieceBytes + piece.length > MAX_LINE_BYTES) return yield [...lines, { isTooLong: true }]
      lines.push({ bytes: pieceBytes > 0 ? Buffer.concat([...pieces, piece]) : piece })
      pieces = []
      pieceBytes = 0
      start = end + 1
    }
    pieces.push(chunk.subarray(start))
    pieceBytes += chunk.length - start
    if (pieceBytes > MAX_LINE_BYTES) return yield [...lines, { isTooLong: true }]
    yield lines
  }
  if (pieceBytes > 0) yield [{ bytes: Buffer.concat(pieces) }]
}
