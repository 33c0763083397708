import { statfs as askFileSystem } from 'node:fs/promises'
import { dirname } from 'node:path'

/** `f_type` of ext2 to ext4, XFS and Btrfs: https://man7.org/linux/man-pages/man2/statfs.2.html */
const SYNCING_TYPES: readonly number[] = [0xef53, 0x58465342, 0x9123683e]

/**
 * Whether a write to the file at `path`, if it is opened with O_DSYNC, is on the disk when it returns, as it is after
 * fdatasync(2): so on the usual file systems of Linux. On others it may be with a server, or on macOS with the drive, which
 * keep it in memory. The file need not be there yet. `statfs` is for tests.
 */
export async function syncsWrites(path: string, statfs = askFileSystem): Promise<boolean> {
  const found = await statfs(path).catch(() => statfs(dirname(path)).catch(() => undefined))
  return found !== undefined && SYNCING_TYPES.includes(found.type)
}
