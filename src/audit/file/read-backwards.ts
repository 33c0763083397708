import type { FileHandle } from 'node:fs/promises'
import { readAt } from './file-end.ts'
import { MAX_LINE_BYTES } from './hash-chain.ts'

/** Lines of a file that stand one after the other in it. */
export interface LineBlock {
  /** Where the first of them begins, in bytes from the file's beginning. */
  readonly position: number
  /** All of them, in the file's order, with their newlines. Only the last line of a file may have none. */
  readonly bytes: Buffer
  /** How many lines end here that are left out, because they are longer than MAX_LINE_BYTES by a chunk or more. */
  readonly tooLong: number
}

/** One line without its newline. */
export interface LineAt {
  readonly position: number
  readonly bytes: Buffer
}

export interface BackwardsOptions {
  /** Where to begin: the bytes from there on are not read. */
  readonly end: number
  readonly chunkBytes?: number
}

const CHUNK_BYTES = 256 * 1024
const NEWLINE = 10

/**
 * Reads the lines of a file from `end` to its beginning, a block at a time, the newest block first; nothing is locked. In memory
 * are a chunk, 256 KiB by default, and the longest line allowed. A block may be empty. Ends early if the file is cut meanwhile.
 */
export async function* readBackwards(
  handle: FileHandle,
  { end, chunkBytes = CHUNK_BYTES }: BackwardsOptions,
): AsyncGenerator<LineBlock> {
  /** What follows `start` of the line that begins before it. */
  let rest: Buffer[] = []
  let isSkipping = false
  for (let start = end; start > 0; ) {
    const length = Math.min(chunkBytes, start)
    start -= length
    let chunk = await readAt(handle, { position: start, length })
    if (chunk.length < length) return
    if (isSkipping) {
      // the line that is too long begins behind the last newline
      chunk = chunk.subarray(0, chunk.lastIndexOf(NEWLINE) + 1)
      isSkipping = chunk.length === 0 && start > 0
      if (isSkipping) yield { position: start, bytes: chunk, tooLong: 0 }
      if (chunk.length === 0) continue
    }
    const first = start === 0 ? 0 : chunk.indexOf(NEWLINE) + 1
    const hasLineStart = start === 0 || first > 0
    const pieces: Buffer[] = hasLineStart ? [chunk.subarray(first), ...rest] : []
    rest = hasLineStart ? [chunk.subarray(0, first)] : [chunk, ...rest]
    isSkipping = bytesOf(rest) > MAX_LINE_BYTES + 1
    if (isSkipping) rest = []
    const bytes = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
    yield { position: start + first, bytes, tooLong: Number(isSkipping) }
  }
}

/** Yields the lines of a block, the last first. */
export function* linesOf({ position, bytes }: LineBlock): Generator<LineAt> {
  for (let end = endOfLast(bytes); end >= 0; ) {
    const start = end === 0 ? 0 : bytes.lastIndexOf(NEWLINE, end - 1) + 1
    yield { position: position + start, bytes: bytes.subarray(start, end) }
    end = start - 1
  }
}

/** Yields the lines of a block in which any of these texts stands, the last first. The others cost no more than a search. */
export function* linesWith(block: LineBlock, texts: readonly Buffer[]): Generator<LineAt> {
  const { position, bytes } = block
  const lastIndexes = texts.map(() => bytes.length)
  for (let end = bytes.length; end > 0; ) {
    for (const [index, text] of texts.entries())
      if ((lastIndexes[index] ?? -1) >= end) lastIndexes[index] = lastIndexBefore(bytes, { text, end })
    const at = Math.max(...lastIndexes)
    if (at < 0) return
    const start = bytes.lastIndexOf(NEWLINE, at) + 1
    const newline = bytes.indexOf(NEWLINE, at)
    yield { position: position + start, bytes: bytes.subarray(start, newline < 0 ? bytes.length : newline) }
    end = start
  }
}

/** Of a text that ends before `end`; a text has no newline, so none stands on both sides of a line's start. */
function lastIndexBefore(bytes: Buffer, { text, end }: { text: Buffer; end: number }): number {
  return end < text.length ? -1 : bytes.lastIndexOf(text, end - text.length)
}

function endOfLast(bytes: Buffer): number {
  return bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length - (bytes.length === 0 ? 1 : 0)
}

const bytesOf = (pieces: readonly Buffer[]) => pieces.reduce((sum, { length }) => sum + length, 0)
