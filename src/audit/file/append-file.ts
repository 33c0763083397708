import { constants, type FileHandle, open as openFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type FileEnd, readFileEnd } from './file-end.ts'

export interface AppendFileOptions {
  path: string
  /** For tests of disks that fail. */
  open?: typeof openFile | undefined
}

/** A file that is only ever appended to, while others may rename, remove or empty it. One call at a time. */
export interface AppendFile {
  /**
   * To be called ahead of each write. Opens the path anew where the file there is another one by now, and gives the ends
   * that are not as we left them: after a write or sync that failed, in a new file, in one that was cut; after a
   * failure and a rotation the old file's and then the new one's. Rejects, once, where somebody else wrote to the file.
   */
  look(): Promise<FileEnd[]>
  write(bytes: Buffer): Promise<void>
  /** Resolves when what was written is on the disk (fdatasync(2)). */
  sync(): Promise<void>
  close(): Promise<void>
}

interface Held {
  readonly handle: FileHandle
  readonly ino: number
  readonly dev: number
}

const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR
const OWNER_ONLY = 0o600

/** Opens the file, or makes it for its owner alone, and reads its end. Does not lock it. */
export async function openAppendFile(
  options: AppendFileOptions,
): Promise<{ file: AppendFile; tail: FileEnd }> {
  const { path, open = openFile } = options

  async function openOrMake(): Promise<{ held: Held; tail: FileEnd }> {
    const handle = await open(path, FLAGS, OWNER_ONLY)
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) throw new Error(`${path}: not a regular file; for a pipe use the audit log stdout`)
      if (stats.size === 0) await syncFolder(dirname(path))
      return { held: { handle, ino: stats.ino, dev: stats.dev }, tail: await readFileEnd(handle, path) }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  const opened = await openOrMake()
  let { held } = opened
  let { size } = opened.tail
  /** Whether the end may be other than `size` says. */
  let unsure = false

  const file: AppendFile = {
    async look() {
      const tails = unsure ? [await readFileEnd(held.handle, path)] : []
      const there = await statOrNone(path)
      if (there?.ino !== held.ino || there.dev !== held.dev) {
        const next = await openOrMake()
        await held.handle.close().catch(() => {})
        held = next.held
        tails.push(next.tail)
      } else if (!unsure && there.size > size) {
        unsure = true
        throw new Error(`${path}: a second writer has written to this audit log`)
      } else if (!unsure && there.size < size) {
        tails.push(await readFileEnd(held.handle, path))
      }
      size = tails.at(-1)?.size ?? size
      unsure = false
      return tails
    },
    async write(bytes) {
      unsure = true
      for (let at = 0; at < bytes.length; ) at += (await held.handle.write(bytes, at)).bytesWritten
      size += bytes.length
    },
    async sync() {
      await held.handle.datasync()
      unsure = false
    },
    close: () => held.handle.close(),
  }
  return { file, tail: opened.tail }
}

async function statOrNone(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A new file's name is on the disk only when its folder is. File systems that cannot sync a folder need not. */
async function syncFolder(path: string): Promise<void> {
  const handle = await openFile(path, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
