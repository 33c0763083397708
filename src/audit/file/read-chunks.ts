import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { systemCode } from '../../lib/system-error.ts'
import { fileId, filesBeside } from './files-beside.ts'

/** A file that is read. */
export interface AuditFile {
  readonly path: string
  /** Where to stop, in bytes from the beginning; by default where the file ends. */
  readonly end?: number | undefined
  /** A regular file that is open already, and stays open: the path may have become the name of another. */
  readonly handle?: FileHandle | undefined
  /** Names the file itself, if it is known; another of its name is then not read. */
  readonly id?: string | undefined
  /** No record in it is of a later time, in milliseconds; by default that is not known. */
  readonly newestMs?: number | undefined
}

export interface ReadChunksOptions {
  /** Called if compressed data ends too early: all that could be decompressed has come before. Without it, that throws. */
  onTruncated?: (() => void) | undefined
}

const CHUNK_BYTES = 256 * 1024
/** So little at once, because it may become a thousand times as much. */
const COMPRESSED_BYTES = 32 * 1024
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])

/**
 * Yields the bytes of a file or a pipe, 256 KiB at most at a time. Gzip is decompressed; it is recognised by its first bytes,
 * whatever the file is called, and may be several files in one. Throws what reading throws, and if compressed data is damaged.
 */
export async function* readChunks(
  log: AuditFile,
  { onTruncated }: ReadChunksOptions = {},
): AsyncGenerator<Buffer> {
  const { end = Number.POSITIVE_INFINITY, handle } = log
  if (end <= 0) return
  const file = handle ?? (await openListed(log))
  try {
    // a pipe has no places to begin at
    const place = handle && { start: 0 }
    const stream = file.createReadStream({
      highWaterMark: CHUNK_BYTES,
      end: end - 1,
      autoClose: false,
      ...place,
    })
    const chunks = withWholeHead(stream)
    const { done, value: head } = await chunks.next()
    if (done) return
    const isCompressed = head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)
    const all = startingWith(head, chunks)
    yield* isCompressed ? decompress(all, onTruncated) : all
  } finally {
    if (!handle) await file.close()
  }
}

/** Opens a file or a pipe, by another name if it was renamed since it was listed. Rejects if it is gone. */
export async function openListed({ path, id }: AuditFile): Promise<FileHandle> {
  const file = await open(path, 'r')
  if (id === undefined || fileId(await file.stat()) === id) return file
  await file.close()
  const renamed = (await filesBeside(path)).find(each => each.id === id)
  if (!renamed) throw new Error('it was rotated away meanwhile: search again')
  return open(renamed.path, 'r')
}

/** Whether a regular file begins as gzip does. */
export async function isGzip(file: FileHandle): Promise<boolean> {
  const head = Buffer.alloc(GZIP_MAGIC.length)
  await file.read(head, 0, head.length, 0)
  return head.equals(GZIP_MAGIC)
}

/** Joins the first chunks until there are enough bytes to tell what it is: a pipe may bring one at a time. */
async function* withWholeHead(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  let isWhole = false
  for await (const chunk of chunks) {
    if (isWhole) yield chunk
    else {
      head = Buffer.concat([head, chunk])
      isWhole = head.length >= GZIP_MAGIC.length
      if (isWhole) yield head
    }
  }
  if (!isWhole && head.length > 0) yield head
}

async function* startingWith(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head
  yield* rest
}

/** By events, because what an iterator of the stream has not read yet is lost if it fails. */
async function* decompress(
  chunks: AsyncIterable<Buffer>,
  onTruncated: (() => void) | undefined,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  let ready: Buffer[] = []
  const takeReady = () => {
    const taken = ready
    ready = []
    return taken
  }
  gunzip.on('data', (chunk: Buffer) => ready.push(chunk))
  try {
    for await (const chunk of chunks)
      for (let start = 0; start < chunk.length; start += COMPRESSED_BYTES) {
        await writeTo(gunzip, chunk.subarray(start, start + COMPRESSED_BYTES))
        yield* takeReady()
      }
    const ended = once(gunzip, 'end')
    gunzip.end()
    await ended
    yield* takeReady()
  } catch (cause) {
    if (systemCode(cause) !== 'Z_BUF_ERROR' || !onTruncated) throw cause
    yield* takeReady()
    onTruncated()
  } finally {
    gunzip.destroy()
  }
}

function writeTo(stream: NodeJS.WritableStream, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject)
    stream.write(chunk, error => {
      stream.off('error', reject)
      if (error) reject(error)
      else resolve()
    })
  })
}
