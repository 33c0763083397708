import { lstat, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../lib/system-error.ts'

/** What others may do with a file. */
export const WRITABLE_BY_OTHERS = 0o022
const WRITABLE_BY_ALL = 0o002
/** Of a folder in which each may rename and remove only what is his own, such as /tmp. */
export const STICKY = 0o1000

/** Why a folder is not this user's alone, in a sentence with its path. */
export class ForeignFile extends Error {
  override readonly name = 'ForeignFile'
}

/** Returns a path, or of the folders above it the nearest that is there. */
export async function nearestExisting(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  return exists || dirname(path) === path ? path : nearestExisting(dirname(path))
}

/**
 * Throws ForeignFile for a folder that is somebody else's: who owns one, or may write to it, could swap what is in it; and what
 * root leaves in one, its owner could not use.
 */
export async function checkBase(path: string, uid: number | undefined): Promise<void> {
  if (uid === undefined) return
  const found = await stat(path)
  if (found.uid !== uid) throw new ForeignFile(`${path} belongs to somebody else`)
  // a group may be the user's own, as it is where the umask is 002
  if (found.mode & WRITABLE_BY_ALL && !(found.mode & STICKY))
    throw new ForeignFile(`${path} may be written to by others`)
}

/** Makes a folder that this user alone may write to, unless it is there. Throws ForeignFile if it is another's, or no folder. */
export async function makePrivate(folder: string, uid: number | undefined): Promise<void> {
  await makeFolder(folder)
  const found = await lstat(folder)
  if (!found.isDirectory()) throw new ForeignFile(`${folder} is not a folder`)
  if (uid === undefined) return
  if (found.uid !== uid) throw new ForeignFile(`${folder} belongs to somebody else`)
  if (found.mode & WRITABLE_BY_OTHERS) throw new ForeignFile(`${folder} may be written to by others`)
}

/**
 * Makes a folder, and those above it, for this user alone, unless something is there. Throws the error of the system. It is as
 * mkdir with `recursive`, which says of a read-only file system that a folder is not there.
 */
export async function makeFolder(folder: string): Promise<void> {
  const make = () =>
    mkdir(folder, { mode: 0o700 }).catch(cause => {
      if (systemCode(cause) !== 'EEXIST') throw cause
    })
  await make().catch(async cause => {
    if (systemCode(cause) !== 'ENOENT' || dirname(folder) === folder) throw cause
    await makeFolder(dirname(folder))
    await make()
  })
}
