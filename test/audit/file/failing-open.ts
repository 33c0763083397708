import { type FileHandle, open } from 'node:fs/promises'

export type Fault = 'none' | 'write' | 'half-write' | 'sync'

const nothing = async () => {}

/**
 * Opens files on a disk that fails on demand as full or broken ones do, and counts its syncs. `beforeWrite` is called once,
 * before the next write.
 */
export function failingOpen() {
  const disk = {
    fault: 'none' as Fault,
    syncs: 0,
    hold: Promise.resolve() as Promise<void>,
    beforeWrite: nothing,
  }
  const failure = (code: string) => Object.assign(new Error(`${code}: the disk failed`), { code })
  const faulty = (handle: FileHandle) =>
    new Proxy(handle, {
      get(target, name) {
        if (name === 'write')
          return async (bytes: Buffer, at: number) => {
            const { beforeWrite } = disk
            disk.beforeWrite = nothing
            await beforeWrite()
            if (disk.fault === 'write') throw failure('ENOSPC')
            if (disk.fault !== 'half-write') return target.write(bytes, at)
            await target.write(bytes, at, Math.floor((bytes.length - at) / 2))
            throw failure('ENOSPC')
          }
        if (name === 'datasync')
          return async () => {
            disk.syncs++
            await disk.hold
            if (disk.fault === 'sync') throw failure('EIO')
            return target.datasync()
          }
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  const opener: typeof open = async (...args) => faulty(await open(...args))
  return { disk, open: opener }
}
