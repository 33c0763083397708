import { constants, type FileHandle, open, statfs } from 'node:fs/promises'

type Fault = 'none' | 'write' | 'half-write' | 'sync'

/** Types of file systems, as statfs(2) tells them: one whose writes can sync, and one where jeton syncs after each write. */
export const EXT4 = 0xef53
export const NFS = 0x6969

const nothing = async () => {}

/**
 * Opens files on a disk that fails on demand as full or broken ones do, and counts its syncs, each with the bytes that were
 * written when it ended. `beforeWrite` is called once, before the next write.
 */
export function failingOpen(type = EXT4) {
  const disk = {
    fault: 'none' as Fault,
    syncs: 0,
    hold: Promise.resolve() as Promise<void>,
    beforeWrite: nothing,
    /** Bytes that were written and that no sync covers yet. */
    unsynced: 0,
  }
  const failure = (code: string) => Object.assign(new Error(`${code}: the disk failed`), { code })

  async function sync(): Promise<void> {
    disk.syncs++
    await disk.hold
    if (disk.fault === 'sync') throw failure('EIO')
  }

  async function write(target: FileHandle, ...[bytes, at, length]: [Buffer, number, number?]) {
    const result = await target.write(bytes, at, length)
    disk.unsynced += result.bytesWritten
    return result
  }

  const faulty = (handle: FileHandle, isSyncing: boolean) =>
    new Proxy(handle, {
      get(target, name) {
        if (name === 'write')
          return async (bytes: Buffer, at: number) => {
            const { beforeWrite } = disk
            disk.beforeWrite = nothing
            await beforeWrite()
            if (disk.fault === 'write') throw failure('ENOSPC')
            const length = disk.fault === 'half-write' ? Math.floor((bytes.length - at) / 2) : undefined
            const result = await write(target, bytes, at, length)
            if (length !== undefined) throw failure('ENOSPC')
            if (!isSyncing) return result
            // of what is in the file, a write that syncs has synced its own bytes alone
            await sync()
            disk.unsynced -= result.bytesWritten
            return result
          }
        if (name === 'datasync')
          return async () => {
            await sync()
            await target.datasync()
            disk.unsynced = 0
          }
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  const opener: typeof open = async (...args) =>
    faulty(await open(...args), (Number(args[1]) & constants.O_DSYNC) !== 0)
  const typed = (async (path: string) => ({ ...(await statfs(path)), type })) as typeof statfs
  return { disk, open: opener, statfs: typed }
}
