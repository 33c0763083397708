import type { FileHandle } from 'node:fs/promises'
import { sha256Hex } from '../../lib/hash.ts'
import { holdsHash, MAX_LINE_BYTES, readLink, type TornPiece } from './hash-chain.ts'

/** The state of a file's end, as the next write needs to know it. */
export interface FileEnd {
  /** The size of the file in bytes. */
  readonly size: number
  /** The hash of the last intact record; undefined if there is none. */
  readonly hash: string | undefined
  /** Whether the last line has no newline, which must then be written first. */
  readonly isMissingNewline: boolean
  /** What follows the last intact record; the next record must acknowledge it. */
  readonly torn: TornPiece | undefined
  /** The last bytes, fewer than 100: if they change, others have changed the file. */
  readonly tail: Buffer
  /** Whether some record near the end has this hash. */
  containsHash(hash: string): boolean
}

const MAX_TAIL_BYTES = 99
const FIRST_READ_BYTES = 64 * 1024
/** More than one batch of the audit log: no crash of jeton leaves more behind. */
const MAX_READ_BYTES = 4 * MAX_LINE_BYTES

/** Returns the first 4 MiB of a file. */
export function readFirstBytes(handle: FileHandle): Promise<Buffer> {
  return readAt(handle, { position: 0, length: MAX_READ_BYTES })
}

/** Returns the last 4 MiB of a file. */
export async function readLastBytes(handle: FileHandle): Promise<Buffer> {
  const { size } = await handle.stat()
  const length = Math.min(size, MAX_READ_BYTES)
  return readAt(handle, { position: size - length, length })
}

/** Returns the last bytes of what is written to a file. */
export function tailOf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(-MAX_TAIL_BYTES))
}

/**
 * Reads the end of a file, and no more of it: `isThorough` means 4 MiB even if the last record is found in less. Throws if
 * there is no intact record within that.
 */
export async function readFileEnd(
  handle: FileHandle,
  { path, isThorough = false }: { path: string; isThorough?: boolean },
): Promise<FileEnd> {
  const { size } = await handle.stat()
  for (const maxBytes of isThorough ? [MAX_READ_BYTES] : [FIRST_READ_BYTES, MAX_READ_BYTES]) {
    const length = Math.min(size, maxBytes)
    const bytes = await readAt(handle, { position: size - length, length })
    const end = parseEnd(bytes, size)
    if (end) return end
  }
  throw new Error(`${path}: no audit record in its last 4 MiB: not an audit file of jeton`)
}

/** Returns undefined if `bytes`, the end of the file, hold no intact record and more lies before them. */
function parseEnd(bytes: Buffer, size: number): FileEnd | undefined {
  const isMissingNewline = bytes.length > 0 && bytes.at(-1) !== 10
  const lines = isMissingNewline || bytes.length === 0 ? bytes : bytes.subarray(0, -1)
  const containsHash = (hash: string) => holdsHash(bytes, hash)
  const tail = tailOf(bytes)
  for (let lineEnd = lines.length; lineEnd > 0; ) {
    const lineStart = lines.lastIndexOf(10, lineEnd - 1) + 1
    const isWhole = lineStart > 0 || bytes.length === size
    const link = isWhole ? readLink(lines.subarray(lineStart, lineEnd)) : undefined
    if (link?.isIntact) {
      const torn = lineEnd < lines.length ? describeTorn(lines.subarray(lineEnd + 1)) : undefined
      return { size, hash: link.hash, isMissingNewline, torn, tail, containsHash }
    }
    lineEnd = lineStart - 1
  }
  if (bytes.length < size) return undefined
  const torn = size > 0 ? describeTorn(lines) : undefined
  return { size, hash: undefined, isMissingNewline, torn, tail, containsHash }
}

function describeTorn(bytes: Buffer): TornPiece {
  return { bytes: bytes.length, sha256: sha256Hex(bytes) }
}

/** Returns fewer bytes if the file ends before them. */
export async function readAt(
  handle: FileHandle,
  range: { position: number; length: number },
): Promise<Buffer> {
  const buffer = Buffer.alloc(range.length)
  let filled = 0
  while (filled < range.length) {
    const { bytesRead } = await handle.read(buffer, filled, range.length - filled, range.position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
