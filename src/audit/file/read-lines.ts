import { LongLineError, readBlocks } from './read-blocks.ts'
import { readChunks } from './read-chunks.ts'

/** One line without its newline; `isTooLong` instead of its bytes if it exceeds MAX_LINE_BYTES. */
export type Line =
  | { readonly bytes: Buffer; readonly isTooLong?: never }
  | { readonly isTooLong: true; readonly bytes?: never }

/**
 * Reads the lines of a file, which may be gzip, some at a time, in memory bounded by one chunk and the longest line allowed. A
 * last line without a newline counts as one. Ends after a line that is too long. Throws what reading the file throws.
 */
export async function* readLines(path: string): AsyncGenerator<Line[]> {
  try {
    for await (const block of readBlocks(readChunks({ path }))) {
      const lines: Line[] = []
      for (const [start, end] of linesIn(block)) lines.push({ bytes: block.subarray(start, end) })
      yield lines
    }
  } catch (cause) {
    if (!(cause instanceof LongLineError)) throw cause
    yield [{ isTooLong: true }]
  }
}

/** Yields where each line of a block begins and ends, without its newline. */
export function* linesIn(block: Buffer): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < block.length; ) {
    const newline = block.indexOf(10, start)
    const end = newline < 0 ? block.length : newline
    yield [start, end]
    start = end + 1
  }
}
