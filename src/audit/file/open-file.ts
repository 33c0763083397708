import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { systemCode } from '../../lib/system-error.ts'
import { fileId } from './files-beside.ts'

/** A file of a log, open to be read. It stays the same file, whatever its name becomes. */
export interface OpenFile {
  /** The name that it was opened by. */
  readonly path: string
  readonly handle: FileHandle
  /** Names the file itself on this machine: its device and inode. */
  readonly id: string
  readonly ino: number
  /** In bytes, as it was opened. */
  readonly size: number
}

/** Opens the file at `path`, without its lock. Undefined if there is none; rejects if it is not a regular file, or as the system does. */
export async function openFile(path: string): Promise<OpenFile | undefined> {
  // what others put in its place, such as a named pipe, must not hang
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(cause => {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw cause
  })
  if (!handle) return undefined
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error(`${path}: not a regular file`)
    return { path, handle, id: fileId(stats), ino: stats.ino, size: stats.size }
  } catch (cause) {
    await handle.close()
    throw cause
  }
}

/** Returns what `use` does with a file, and closes it; undefined if the file is gone or cannot be read. */
export async function useFile<Opened extends Pick<OpenFile, 'handle'>, Result>(
  opening: Promise<Opened | undefined>,
  use: (file: Opened) => Promise<Result>,
): Promise<Result | undefined> {
  const file = await opening.catch(() => undefined)
  try {
    return file && (await use(file))
  } catch {
    return undefined
  } finally {
    await file?.handle.close()
  }
}
