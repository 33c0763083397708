import { createReadStream } from 'node:fs'
import { LONGEST_LINE_BYTES } from './hash-chain.ts'

/** One line without its newline; `tooLong` instead of its bytes where it passes LONGEST_LINE_BYTES. */
export type Line = { readonly bytes: Buffer; readonly tooLong?: never } | { readonly tooLong: true }

/**
 * The lines of a file, some at a time, in memory bounded by one chunk and the longest line allowed. A last line without
 * a newline counts as one. Ends after a line that is too long. Throws what reading the file throws.
 */
export async function* linesOf(path: string): AsyncGenerator<Line[]> {
  let held: Buffer[] = []
  let heldBytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end)
      if (heldBytes + piece.length > LONGEST_LINE_BYTES) return yield [...lines, { tooLong: true }]
      lines.push({ bytes: heldBytes > 0 ? Buffer.concat([...held, piece]) : piece })
      held = []
      heldBytes = 0
      start = end + 1
    }
    held.push(chunk.subarray(start))
    heldBytes += chunk.length - start
    if (heldBytes > LONGEST_LINE_BYTES) return yield [...lines, { tooLong: true }]
    yield lines
  }
  if (heldBytes > 0) yield [{ bytes: Buffer.concat(held) }]
}
