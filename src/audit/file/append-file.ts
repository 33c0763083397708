import { constants, type FileHandle, open as openFile, stat, type statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../lib/system-error.ts'
import { type FileEnd, readAt, readFileEnd, tailOf } from './file-end.ts'
import { syncsWrites } from './synced-writes.ts'

export interface AppendFileOptions {
  path: string
  /** Opens the file; for tests of disks that fail. */
  open?: typeof openFile | undefined
  /** Tells the type of its file system; for tests of others than the one they run on. */
  statfs?: typeof statfs | undefined
}

/** A file that is only ever appended to, while others may rename, remove or empty it. One call at a time. */
export interface AppendFile {
  /**
   * Call before each write. Opens the path again if it names another file by now. Returns the ends that may differ from
   * what the last write made: after a failed write, of a new file, of a file that was cut or changed. After a
   * rotation, the old file's end comes first, unless that is deleted. Rejects, once, if another process wrote to the file.
   */
  changedEnds(): Promise<FileEnd[]>
  /** Whether what was written is not where it was: the path names another file, or this one was cut or changed. */
  isDisturbed(): Promise<boolean>
  /** Resolves when the bytes, and all that is before them, are on the disk. */
  write(bytes: Buffer): Promise<void>
  close(): Promise<void>
}

interface OpenFile {
  readonly handle: FileHandle
  readonly ino: number
  readonly dev: number
  /** Whether what is written is on the disk without a sync. */
  readonly isSyncing: boolean
}

const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR
const OWNER_ONLY = 0o600

/** Opens the file, or creates it for its owner alone, and reads its end. Does not lock it. */
export async function openAppendFile(
  options: AppendFileOptions,
): Promise<{ file: AppendFile; end: FileEnd }> {
  const { path, open = openFile, statfs } = options

  async function openOrCreate(): Promise<{ opened: OpenFile; end: FileEnd }> {
    const isSyncing = await syncsWrites(path, statfs)
    const handle = await open(path, isSyncing ? FLAGS | constants.O_DSYNC : FLAGS, OWNER_ONLY)
    try {
      const stats = await handle.stat()
      if (!stats.isFile())
        throw new Error(`${path}: not a regular file; for a pipe, use an audit sink of type stdout`)
      if (stats.size === 0) await syncFolder(dirname(path))
      const opened = { handle, ino: stats.ino, dev: stats.dev, isSyncing }
      return { opened, end: await readFileEnd(handle, { path }) }
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
  /** Whether others, a killed process or a write that failed may have left bytes that are not on the disk yet. */
  let hasUnsynced = true

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
      if (last) {
        ;({ size, tail } = last)
        hasUnsynced = true
      }
      isUnsure = false
      return ends
    },
    isDisturbed: async () => !isUnsure && ['replaced', 'changed'].includes(await look()),
    async write(bytes) {
      const mustSync = hasUnsynced || !current.isSyncing
      isUnsure = true
      hasUnsynced = true
      let written = 0
      while (written < bytes.length) written += (await current.handle.write(bytes, written)).bytesWritten
      size += bytes.length
      tail = tailOf(bytes)
      if (mustSync) await current.handle.datasync()
      hasUnsynced = false
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
