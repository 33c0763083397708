import { MAX_LINE_BYTES } from './hash-chain.ts'

const NEWLINE = 10

/** Reading ends here: nothing that follows is known to be whole. */
export class LongLineError extends Error {
  constructor() {
    super(`the next line is longer than ${MAX_LINE_BYTES} bytes, so it is not an audit record`)
  }
}

/**
 * Yields whole lines, many at a time, each with its newline but for the last of all, which may have none. Memory is bounded by one
 * chunk and the longest line allowed. Throws LongLineError before a line that is longer.
 */
export async function* readBlocks(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = []
  let pieceBytes = 0
  for await (const chunk of chunks) {
    const first = chunk.indexOf(NEWLINE)
    if (pieceBytes + (first < 0 ? chunk.length : first) > MAX_LINE_BYTES) throw new LongLineError()
    const end = first < 0 ? 0 : chunk.lastIndexOf(NEWLINE) + 1
    if (end > 0)
      yield pieceBytes > 0 ? Buffer.concat([...pieces, chunk.subarray(0, end)]) : chunk.subarray(0, end)
    if (end > 0) [pieces, pieceBytes] = [[], 0]
    pieces.push(chunk.subarray(end))
    pieceBytes += chunk.length - end
  }
  if (pieceBytes > 0) yield Buffer.concat(pieces)
}
