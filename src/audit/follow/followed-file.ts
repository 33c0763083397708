import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { sha256Hex } from '../../lib/hash.ts'
import { parseJsonObject } from '../../lib/json.ts'
import { systemCode } from '../../lib/system-error.ts'
import { readAt } from '../file/file-end.ts'
import { readLink } from '../file/hash-chain.ts'
import { type OpenFile, openFile } from '../file/open-file.ts'
import { isGzip } from '../file/read-chunks.ts'
import { timeOf } from '../parsed-record.ts'
import { placedLines } from './placed-lines.ts'

/** An audit file that is open for reading, whatever its name becomes. */
export interface FollowedFile extends OpenFile {
  readonly isCompressed: boolean
  /** Yields the bytes from this offset of the uncompressed file to the end that it has now. Throws if it cannot be read. */
  read(offset: number): AsyncIterable<Buffer>
  close(): Promise<void>
}

/** The first record of a file, by which it is known, however it is called, copied or compressed. */
export interface FirstRecord {
  readonly key: string
  /** The hash of the record before; undefined without a hash chain. */
  readonly prev: string | undefined
  readonly timeMs: number
}

const CHUNK_BYTES = 256 * 1024
/** How far the first record is looked for. */
const MAX_SEARCHED_BYTES = 4 * 1024 * 1024

/** Opens a file to read it, plain or by gzip. Returns undefined if there is none. Rejects if it is no regular file. */
export async function openFollowedFile(path: string): Promise<FollowedFile | undefined> {
  const file = await openFile(path).catch(cause => {
    const code = systemCode(cause)
    throw code === undefined ? cause : new Error(`${path}: cannot be opened (${code})`)
  })
  if (!file) return undefined
  const { handle } = file
  try {
    const isCompressed = await isGzip(handle)
    return {
      ...file,
      isCompressed,
      read: offset => (isCompressed ? readGzip(handle, offset) : readPlain(handle, offset)),
      close: () => handle.close(),
    }
  } catch (cause) {
    await handle.close()
    throw cause
  }
}

async function* readPlain(handle: FileHandle, offset: number): AsyncGenerator<Buffer> {
  for (let position = offset; ; ) {
    const bytes = await readAt(handle, { position, length: CHUNK_BYTES })
    if (bytes.length === 0) return
    position += bytes.length
    yield bytes
  }
}

async function* readGzip(handle: FileHandle, offset: number): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  // its failure, and the end of who reads, arrive by the stream itself
  void pipeline(readPlain(handle, 0), gunzip).catch(() => {})
  let skip = offset
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    const rest = chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
    if (rest.length > 0) yield rest
  }
}

/** Returns the first record of a file; undefined if there is none near its beginning. */
export async function readFirstRecord(file: FollowedFile): Promise<FirstRecord | undefined> {
  for await (const lines of placedLines(file.read(0), 0))
    for (const { bytes, end } of lines) {
      const timeMs = bytes && timeOf(parseJsonObject(bytes) ?? {})
      if (bytes && timeMs !== undefined) return { key: recordKey(bytes), prev: readLink(bytes)?.prev, timeMs }
      if (end > MAX_SEARCHED_BYTES) return undefined
    }
  return undefined
}

/** Returns what a record is known by. */
export function recordKey(line: Buffer): string {
  return sha256Hex(line)
}

/** Returns the offset behind the last record of a chained file, and its hash; undefined if it has none. Reads all of it. */
export async function readLastRecord(
  file: FollowedFile,
): Promise<{ offset: number; hash: string } | undefined> {
  let last: { offset: number; hash: string } | undefined
  for await (const lines of placedLines(file.read(0), 0))
    for (const { bytes, end } of lines) {
      const link = bytes && readLink(bytes)
      if (link) last = { offset: end, hash: link.hash }
    }
  return last
}

/** A place in a file, behind a newline, and what stands before that newline: it tells this file from others. */
export interface ReadPlace {
  readonly offset: number
  readonly ending: Buffer
}

/** The end of a line that is compared, at most: a record without a hash has an id at its beginning. */
const MAX_ENDING_BYTES = 4096
const NEWLINE = Buffer.from('\n')

/** Returns the place behind the record with this hash. */
export function placeBehind(hash: string, offset: number): ReadPlace {
  return { offset, ending: Buffer.from(`"hash":"${hash}"}`) }
}

/** Whether a file has at a place what was read there. Of a compressed file, all before it is read. */
export async function holdsPlace(file: FollowedFile, { offset, ending }: ReadPlace): Promise<boolean> {
  const wanted = Buffer.concat([ending.subarray(-MAX_ENDING_BYTES), NEWLINE])
  const position = offset - wanted.length
  if (position < 0) return false
  if (!file.isCompressed)
    return (await readAt(file.handle, { position, length: wanted.length })).equals(wanted)
  let found = Buffer.alloc(0)
  for await (const chunk of file.read(position)) {
    found = Buffer.concat([found, chunk.subarray(0, wanted.length - found.length)])
    if (found.length === wanted.length) break
  }
  return found.equals(wanted)
}
