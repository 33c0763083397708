import { type FileHandle, open, stat } from 'node:fs/promises'
import { systemCode } from '../../lib/system-error.ts'
import { readAt } from './file-end.ts'
import { MAX_LINE_BYTES } from './hash-chain.ts'

const NEWLINE = 10
const READ_BYTES = 256 * 1024
/** So much of what was read last tells a file from another of its name: the hash of a record is in it. */
const TAIL_BYTES = 256

/** A file of which each line is read once, as it is written. */
export interface TailedFile {
  /** The number that it keeps when it is renamed. */
  readonly ino: number
  readonly handle: FileHandle
  /** Whether it goes on from what was read: it may have been emptied, or replaced by another text, meanwhile. */
  isContinued(): Promise<boolean>
  /** Yields the whole lines that came since, many at a time. */
  readNew(): AsyncGenerator<Buffer>
  /** Returns what was read of it, to read on in a copy. */
  place(): ReadPlace
  close(): Promise<void>
}

/** How far a file was read, and what was read last. */
export interface ReadPlace {
  readonly position: number
  readonly tail: Buffer
}

export const BEGINNING: ReadPlace = { position: 0, tail: Buffer.alloc(0) }

/** Opens a file to follow from a place, or from behind its last whole line; undefined if there is no regular file. */
export async function openTailedFile(
  path: string,
  from: ReadPlace | 'end' = BEGINNING,
): Promise<TailedFile | undefined> {
  const handle = await open(path, 'r').catch(cause => {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw cause
  })
  const stats = await handle?.stat()
  if (!handle || !stats?.isFile()) {
    await handle?.close()
    return undefined
  }
  let { position, tail } = from === 'end' ? await placeAtEnd(handle, stats.size) : from

  /** No more than there is now: somebody may write without a pause. */
  async function* readNew(): AsyncGenerator<Buffer> {
    const { size } = await (handle as FileHandle).stat()
    let length = READ_BYTES
    while (position < size) {
      const bytes = await readAt(handle as FileHandle, {
        position,
        length: Math.min(length, size - position),
      })
      const end = bytes.lastIndexOf(NEWLINE) + 1
      if (end === 0 && bytes.length < length) return
      // a line that is not whole yet is read again once it is; what is longer than one may be counts as a line
      if (end === 0 && length <= MAX_LINE_BYTES) length *= 2
      else {
        const lines = bytes.subarray(0, end === 0 ? bytes.length : end)
        position += lines.length
        tail = Buffer.from(lines.subarray(-TAIL_BYTES))
        length = READ_BYTES
        yield lines
      }
    }
  }
  return {
    ino: stats.ino,
    handle,
    isContinued: () => holdsPlace(handle, { position, tail }),
    readNew,
    place: () => ({ position, tail }),
    close: () => handle.close(),
  }
}

async function placeAtEnd(handle: FileHandle, size: number): Promise<ReadPlace> {
  const length = Math.min(size, MAX_LINE_BYTES)
  const bytes = await readAt(handle, { position: size - length, length })
  const end = bytes.lastIndexOf(NEWLINE) + 1
  return {
    position: size - length + end,
    tail: Buffer.from(bytes.subarray(Math.max(0, end - TAIL_BYTES), end)),
  }
}

/** Whether the file of this name has at a place what was read there in another. */
export async function isCopyOf(path: string, place: ReadPlace): Promise<boolean> {
  const file = await openTailedFile(path, place)
  try {
    return file !== undefined && (await file.isContinued())
  } finally {
    await file?.close()
  }
}

async function holdsPlace(handle: FileHandle, { position, tail }: ReadPlace): Promise<boolean> {
  const bytes = await readAt(handle, { position: position - tail.length, length: tail.length })
  return bytes.equals(tail)
}

/** Returns the number of the file that has this name now; undefined if there is none. */
export async function inoOf(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() ? stats.ino : undefined
}
