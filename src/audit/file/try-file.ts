import { constants, open } from 'node:fs/promises'
import { systemCode } from '../../lib/system-error.ts'
import { readFileEnd } from './file-end.ts'
import { tryLock } from './lock.ts'

/** Without O_NONBLOCK a pipe would hang it. */
const FLAGS = constants.O_APPEND | constants.O_RDWR | constants.O_NONBLOCK

/**
 * Finds out whether a sink could write to the audit file at `path`, or whether another process does: creates and locks
 * nothing. Rejects with an Error that says what is wrong. Does not check how much room the disk has.
 */
export async function tryAuditFile(path: string): Promise<'free' | 'taken'> {
  const state = await tryLock(path)
  const handle = await open(path, FLAGS).catch(cause => {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw new Error(`${path}: cannot be opened to append to (${systemCode(cause)})`)
  })
  try {
    if (handle && !(await handle.stat()).isFile()) throw new Error(`${path}: not a regular file`)
    if (handle) await readFileEnd(handle, { path })
    return state
  } finally {
    await handle?.close()
  }
}
