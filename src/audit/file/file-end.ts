import type { FileHandle } from 'node:fs/promises'
import { sha256Hex } from '../../lib/hash.ts'
import { LONGEST_LINE_BYTES, readLink, type TornPiece } from './hash-chain.ts'

/** How the end of a log file looks to whoever is to go on writing it. */
export interface FileEnd {
  /** The size of the file in bytes. */
  readonly size: number
  /** The hash of the last whole record; undefined where there is none. */
  readonly hash: string | undefined
  /** A newline must come before anything else: the last line lacks it. */
  readonly unended: boolean
  /** What stands after the last whole record, which the next record must name. */
  readonly torn: TornPiece | undefined
  /** Whether some record near the end has this hash. */
  holds(hash: string): boolean
}

const GLANCE_BYTES = 64 * 1024
/** More than one batch of the audit log: no crash of ours leaves more behind. */
const FARTHEST_BYTES = 4 * LONGEST_LINE_BYTES

/** Looks at the end of a file, and only there. Throws where no record of ours is found within its last 4 MiB. */
export async function readFileEnd(handle: FileHandle, path: string): Promise<FileEnd> {
  const { size } = await handle.stat()
  for (const reach of [GLANCE_BYTES, FARTHEST_BYTES]) {
    const length = Math.min(size, reach)
    const bytes = await readAt(handle, { position: size - length, length })
    const tail = look(bytes, size)
    if (tail) return tail
  }
  throw new Error(`${path}: no audit record in its last 4 MiB: not an audit log of jeton`)
}

/** Undefined where `bytes`, the end of the file, begin too late to tell. */
function look(bytes: Buffer, size: number): FileEnd | undefined {
  const unended = bytes.length > 0 && bytes.at(-1) !== 10
  const ended = unended || bytes.length === 0 ? bytes : bytes.subarray(0, -1)
  const holds = (hash: string) => bytes.includes(`"hash":"${hash}"}`)
  for (let end = ended.length; end > 0; ) {
    const start = ended.lastIndexOf(10, end - 1) + 1
    const seal = start === 0 && bytes.length < size ? undefined : readLink(ended.subarray(start, end))
    if (seal?.intact) {
      const torn = end < ended.length ? piece(ended.subarray(end + 1)) : undefined
      return { size, hash: seal.hash, unended, torn, holds }
    }
    end = start - 1
  }
  if (bytes.length < size) return undefined
  return { size, hash: undefined, unended, torn: size > 0 ? piece(ended) : undefined, holds }
}

const piece = (bytes: Buffer): TornPiece => ({ bytes: bytes.length, sha256: sha256Hex(bytes) })

async function readAt(handle: FileHandle, range: { position: number; length: number }): Promise<Buffer> {
  const buffer = Buffer.alloc(range.length)
  let filled = 0
  while (filled < range.length) {
    const { bytesRead } = await handle.read(buffer, filled, range.length - filled, range.position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
