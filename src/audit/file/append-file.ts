import { constants, type FileHandle, open as openFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../lib/system-error.ts'
import { type FileEnd, readFileEnd } from './file-end.ts'

export interface AppendFileOptions {
  path: string
  /** Opens the file; for tests of disks that fail. */
  open?: typeof openFile | undefined
}

/** A file that is only ever appended to, while others may rename, remove or empty it. One call at a time. */
export interface AppendFile {
  /**
   * Call before each write. Opens the path again if it names another file by now. Returns the ends that may differ from
   * what the last write made: after a failed write or sync, of a new file, of a file that was cut. After a failure and a
   * rotation, the old file's end comes first. Rejects, once, if another process wrote to the file.
   */
  changedEnds(): Promise<FileEnd[]>
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
      return { opened: { handle, ino: stats.ino, dev: stats.dev }, end: await readFileEnd(handle, path) }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  const first = await openOrCreate()
  let current = first.opened
  let { size } = first.end
  /** Whether the end may differ from what `size` says. */
  let isUnsure = false

  const file: AppendFile = {
    async changedEnds() {
      const ends = isUnsure ? [await readFileEnd(current.handle, path)] : []
      const atPath = await statIfExists(path)
      if (atPath?.ino !== current.ino || atPath.dev !== current.dev) {
        const next = await openOrCreate()
        await current.handle.close().catch(() => {})
        current = next.opened
        ends.push(next.end)
      } else if (!isUnsure && atPath.size > size) {
        isUnsure = true
        throw new Error(
          `${path}: a second writer has written to this audit file: only one jeton may write to it`,
        )
      } else if (!isUnsure && atPath.size < size) {
        ends.push(await readFileEnd(current.handle, path))
      }
      size = ends.at(-1)?.size ?? size
      isUnsure = false
      return ends
    },
    async write(bytes) {
      isUnsure = true
      let written = 0
      while (written < bytes.length) written += (await current.handle.write(bytes, written)).bytesWritten
      size += bytes.length
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
