import { MAX_LINE_BYTES } from '../file/hash-chain.ts'

/** A line and where it ends, its newline included. */
export interface FollowedLine {
  /** Without the newline; undefined if the line is longer than a record may be. */
  readonly bytes: Buffer | undefined
  /** The offset behind the newline. */
  readonly end: number
}

/**
 * Yields the lines in a file's bytes from `offset` on. What follows the last newline is left out: it may be half of a line that
 * is just being written. At most one line and one chunk are in memory.
 */
export async function* placedLines(
  chunks: AsyncIterable<Buffer>,
  offset: number,
): AsyncGenerator<FollowedLine[]> {
  let begun: Buffer[] = []
  let begunBytes = 0
  let position = offset
  for await (const chunk of chunks) {
    const lines: FollowedLine[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end)
      const isTooLong = begunBytes + piece.length > MAX_LINE_BYTES
      const bytes = begun.length > 0 ? Buffer.concat([...begun, piece]) : piece
      lines.push({ bytes: isTooLong ? undefined : bytes, end: position + end + 1 })
      begun = []
      begunBytes = 0
      start = end + 1
    }
    begunBytes += chunk.length - start
    // of a line that is too long, its length alone counts
    if (begunBytes > MAX_LINE_BYTES) begun = []
    else if (start < chunk.length) begun.push(chunk.subarray(start))
    position += chunk.length
    if (lines.length > 0) yield lines
  }
}
