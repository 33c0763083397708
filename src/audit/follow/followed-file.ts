import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { parseJsonObject } from '../../lib/json.ts'
import { readAt } from '../file/file-end.ts'
import { readLink } from '../file/hash-chain.ts'
import { timeOf } from '../parsed-record.ts'
import { placedLines } from './placed-lines.ts'

/** An audit file that is open for reading, whatever its name becomes. */
export interface FollowedFile {
  /** The name that it was opened by. */
  readonly path: string
  readonly handle: FileHandle
  /** Names the file itself on this machine: its device and inode. */
  readonly id: string
  readonly isCompressed: boolean
  /** Yields the bytes from this offset of the uncompressed file to the end that it has now. Throws if it cannot be read. */
  read(offset: number): AsyncIterable<Buffer>
  close(): Promise<void>
}

/** The first record of a file. */
export interface FirstRecord {
  /** The hash of the record before. */
  readonly prev: string
  readonly timeMs: number
}

const CHUNK_BYTES = 256 * 1024
const GZIP = Buffer.from([0x1f, 0x8b])
/** How far the first record is looked for. */
const MAX_SEARCHED_BYTES = 4 * 1024 * 1024

/** Opens a file to read it, plain or by gzip. Returns undefined if there is none. Rejects if it is no regular file. */
export async function openFollowedFile(path: string): Promise<FollowedFile | undefined> {
  // what others put in its place, such as a named pipe, must not hang
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(cause => {
    if (cause.code === 'ENOENT') return undefined
    throw new Error(`${path}: cannot be opened (${cause.code})`)
  })
  if (!handle) return undefined
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error(`${path}: not a regular file`)
    const isCompressed = (await readAt(handle, { position: 0, length: GZIP.length })).equals(GZIP)
    return {
      path,
      handle,
      id: `${stats.dev}:${stats.ino}`,
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
  void pipeline(handle.createReadStream({ start: 0, autoClose: false }), gunzip).catch(() => {})
  let skip = offset
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    const rest = chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
    if (rest.length > 0) yield rest
  }
}

/** Returns the first record of a file that is chained; undefined if there is none near its beginning. */
export async function readFirstRecord(file: FollowedFile): Promise<FirstRecord | undefined> {
  for await (const lines of placedLines(file.read(0), 0))
    for (const { bytes, end } of lines) {
      const link = bytes && readLink(bytes)
      const timeMs = link && timeOf(parseJsonObject(bytes) ?? {})
      if (link && timeMs !== undefined) return { prev: link.prev, timeMs }
      if (end > MAX_SEARCHED_BYTES) return undefined
    }
  return undefined
}

/** Returns where the last record of a chained file is; undefined if it has none. Reads all of it. */
export async function readLastRecord(file: FollowedFile): Promise<RecordPlace | undefined> {
  let last: RecordPlace | undefined
  for await (const lines of placedLines(file.read(0), 0))
    for (const { bytes, end } of lines) {
      const link = bytes && readLink(bytes)
      if (link) last = { offset: end, hash: link.hash }
    }
  return last
}

/** Where a record is in a file: its line ends at this offset. */
export interface RecordPlace {
  readonly offset: number
  readonly hash: string
}

/** Whether the line that ends at this offset is the record with this hash. Of a compressed file, all before it is read. */
export async function holdsRecord(file: FollowedFile, { offset, hash }: RecordPlace): Promise<boolean> {
  const ending = Buffer.from(`"hash":"${hash}"}\n`)
  const position = offset - ending.length
  if (position < 0) return false
  if (!file.isCompressed)
    return (await readAt(file.handle, { position, length: ending.length })).equals(ending)
  let found = Buffer.alloc(0)
  for await (const chunk of file.read(position)) {
    found = Buffer.concat([found, chunk.subarray(0, ending.length - found.length)])
    if (found.length === ending.length) break
  }
  return found.equals(ending)
}
