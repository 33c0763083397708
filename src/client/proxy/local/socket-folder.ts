import { stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Environment } from '../../../lib/process-input.ts'
import { systemCodeNote } from '../../../lib/system-error.ts'
import { failure } from '../../errors.ts'
import { ForeignFile, makePrivate, STICKY, WRITABLE_BY_OTHERS } from '../../private-folder.ts'

export interface FolderOwner {
  env: Environment
  /** This process's user; undefined on Windows, where owners are not checked. */
  uid: number | undefined
}

/**
 * Makes a folder for sockets, mode 0700, unless it is there. Throws CallerError if it is somebody else's, or others may write
 * to it: they could put a socket of theirs in the place of the proxy's.
 */
export async function makeSocketFolder(path: string, uid: number | undefined): Promise<void> {
  await makePrivate(path, uid).catch(cause => {
    const why = cause instanceof ForeignFile ? cause.message : `cannot make ${path}${systemCodeNote(cause)}`
    throw failure(`no folder for sockets: ${why}: give --socket-dir a folder of yours`, cause)
  })
}

/**
 * Returns the folder for the sockets of a database, and makes it: `$XDG_RUNTIME_DIR/jeton/DATABASE`, or `/tmp/jeton-UID/DATABASE`
 * where there is none. Throws CallerError as `makeSocketFolder` does.
 */
export async function defaultSocketFolder(database: string, { env, uid }: FolderOwner): Promise<string> {
  const { XDG_RUNTIME_DIR: runtime } = env
  const base = runtime && isAbsolute(runtime) ? join(runtime, 'jeton') : await inSharedFolder('/tmp', uid)
  await makeSocketFolder(base, uid)
  const folder = join(base, database)
  await makeSocketFolder(folder, uid)
  return folder
}

/** In a folder of all, each must be able to move and remove only what is his own. */
async function inSharedFolder(shared: string, uid: number | undefined): Promise<string> {
  const path = join(shared, `jeton-${uid ?? 'proxy'}`)
  if (uid === undefined) return path
  const { mode, uid: owner } = await stat(shared)
  const isSafe = (owner === 0 || owner === uid) && ((mode & WRITABLE_BY_OTHERS) === 0 || mode & STICKY)
  if (!isSafe)
    throw failure(
      `${shared} is not safe for sockets (it has no sticky bit): give --socket-dir a folder of yours`,
    )
  return path
}
