import { constants, type FileHandle, open as openFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../lib/system-error.ts'
import { type FileEnd, readAt, readFileEnd, tailOf } from './file-end.ts'

export interface AppendFileOptions {
  path: string
  /** Opens the file; for tests of disks that fail. */
  open?: typeof openFile | undefined
}

/** A file that is only ever appended to, while others may rename, remove or empty it. One call at a time. */
export interface AppendFile {
  /**
   * Call before each write. Opens the path again if it names another file by now. Returns the ends that may differ from
   * what the last write made: after a failed write or sync, of a new file, of a file that was cut or changed. After a
   * rotation, the old file's end comes first, unless that is deleted. Rejects, once, if another process wrote to the file.
   */
  changedEnds(): Promise<FileEnd[]>
  /** Whether what was written is not where it was: the path names another file, or this one was cut or changed. */
  isDisturbed(): Promise<boolean>
  write(bytes: Buffer): Promise<void>
  /** Resolves when everything written is on the disk (fdatasync(2)). */
  sync(): Promise<void>
  close(): Promise<void>
}

interface OpenFile {
  readonly handle: FileHandle
  readonly ino: number
  readonly dev: number
}

const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR
const OWNER_ONLY = 0o600

/** Opens the file, or creates it for its owner alone, and reads its end. Does not lock it. */
export async function openAppendFile(
  options: AppendFileOptions,
): Promise<{ file: AppendFile; end: FileEnd }> {
  const { path, open = openFile } = options

  async function openOrCreate(): Promise<{ opened: OpenFile; end: FileEnd }> {
    const handle = await open(path, FLAGS, OWNER_ONLY)
    try {
      const stats = await handle.stat()
      if (!stats.isFile())
        throw new Error(`${path}: not a regular file; for a pipe, use an audit sink of type stdout`)
      if (stats.size === 0) await syncFolder(dirname(path))
      return { opened: { handle, ino: stats.ino, dev: stats.dev }, end: await readFileEnd(handle, { path }) }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  const first = await openOrCreate()
  let current = first.opened
  let { size, tail } = first.end
  /** Whether the end may differ from what `size` says. */
  let isUnsure = false

  const readEnd = () => readFileEnd(current.handle, { path, isThorough: true })

  /** Compares what is there with what was written. A file may shrink and grow again between two looks, so its end counts. */
  async function look(): Promise<'same' | 'replaced' | 'longer' | 'changed'> {
    const [atPath, end] = await Promise.all([
      statIfExists(path),
      readAt(current.handle, { position: size - tail.length, length: tail.length }),
    ])
    if (atPath?.ino !== current.ino || atPath.dev !== current.dev) return 'replaced'
    if (atPath.size > size) return 'longer'
    return atPath.size < size || !end.equals(tail) ? 'changed' : 'same'
  }

  /** The old file's end is of no use if the file is deleted: what was in it is lost with this handle. */
  async function openNext(): Promise<FileEnd[]> {
    const { nlink } = await current.handle.stat()
    // a file without records has none either: it must not keep the next one from being opened
    const oldEnd = nlink > 0 ? await readEnd().catch(() => undefined) : undefined
    const next = await openOrCreate()
    await current.handle.close().catch(() => {})
    current = next.opened
    return oldEnd ? [oldEnd, next.end] : [next.end]
  }

  async function readChangedEnds(): Promise<FileEnd[]> {
    const found = await look()
    if (found === 'replaced') return openNext()
    if (isUnsure || found === 'changed') return [await readEnd()]
    if (found === 'same') return []
    isUnsure = true
    throw new Error(`${path}: a second writer has written to this audit file: only one jeton may write to it`)
  }

  const file: AppendFile = {
    async changedEnds() {
      const ends = await readChangedEnds()
      const last = ends.at(-1)
      if (last) ({ size, tail } = last)
      isUnsure = false
      return ends
    },
    isDisturbed: async () => !isUnsure && ['replaced', 'changed'].includes(await look()),
    async write(bytes) {
      isUnsure = true
      let written = 0
      while (written < bytes.length) written += (await current.handle.write(bytes, written)).bytesWritten
      size += bytes.length
      tail = tailOf(bytes)
    },
    async sync() {
      await current.handle.datasync()
      isUnsure = false
    },
    close: () => current.handle.close(),
  }
  return { file, end: first.end }
}

async function statIfExists(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A new file's name is on the disk only when its folder is. File systems that cannot sync a folder need not. */
async function syncFolder(path: string): Promise<void> {
  const handle = await openFile(path, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
