import { randomUUID } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import { chmod, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from '../../lib/system-error.ts'
import { type FileLock, type FileLockParts, withFileLock } from './file-lock.ts'
import { resolveTarget } from './resolve-target.ts'

/**
 * Returns the new text of a file of which it gets the old one, `undefined` if there is none. Both are bytes, each a character of
 * the same number (latin1), so that what is no UTF-8 survives.
 */
export type Edit = (text: string | undefined) => string

export interface EditFileParts extends FileLockParts {
  /** This process's user, to leave a file to its owner if this is root; undefined on Windows. */
  uid: number | undefined
}

/** What this program writes is a hundred times smaller, and so is every file that it has a part in. */
const MAX_BYTES = 16 * 1024 * 1024
const PRIVATE = 0o600
const OF_OTHERS = 0o077n

interface FoundFile {
  text: string
  stats: BigIntStats
}

/**
 * Gives a file the text that `edit` returns. Who reads it meanwhile has the old text or the new one, never half of it; from its
 * first byte on it is for its owner alone; what another program changes in the same moment is not lost. Links to it stay.
 * Returns whether the text has changed. Throws the error of the system, and then the old text is there still.
 */
export async function editFile(path: string, edit: Edit, parts: EditFileParts): Promise<boolean> {
  const target = await resolveTarget(path)
  const found = await readFound(target)
  if (found && edit(found.text) === found.text) {
    if (found.stats.mode & OF_OTHERS) await chmod(target, PRIVATE)
    return false
  }
  for (;;) {
    const outcome = await withFileLock(target, lock => editLocked({ target, edit, lock, parts }), parts)
    if (outcome !== 'disturbed') return outcome === 'written'
  }
}

interface LockedEdit {
  target: string
  edit: Edit
  lock: FileLock
  parts: EditFileParts
}

async function editLocked({
  target,
  edit,
  lock,
  parts,
}: LockedEdit): Promise<'written' | 'unchanged' | 'disturbed'> {
  await removeLeftovers(target)
  const found = await readFound(target)
  const text = edit(found?.text)
  if (text === found?.text) return 'unchanged'
  const temporary = `${target}${TEMPORARY}${randomUUID()}`
  try {
    await writeBeside(temporary, { text, owner: parts.uid === 0 ? found?.stats : undefined })
    // an editor knows nothing of the lock
    if (!isSame(found?.stats, await statOf(target)) || !(await lock.isHeld())) return 'disturbed'
    await rename(temporary, target)
  } catch (cause) {
    // whoever took the lock away removed the file as a leftover
    if (systemCode(cause) === 'ENOENT' && !(await lock.isHeld())) return 'disturbed'
    throw cause
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(target))
  return 'written'
}

const TEMPORARY = '.jeton-new-'

/** Whoever else has one has lost the lock: a process that was killed, or one that will begin again. */
async function removeLeftovers(target: string): Promise<void> {
  const folder = dirname(target)
  const names = await readdir(folder).catch(() => [])
  const leftovers = names.filter(name => name.startsWith(`${basename(target)}${TEMPORARY}`))
  await Promise.all(leftovers.map(name => rm(join(folder, name), { force: true })))
}

async function readFound(target: string): Promise<FoundFile | undefined> {
  const stats = await statOf(target)
  if (!stats) return undefined
  if (stats.isDirectory()) throw systemError('EISDIR')
  if (!stats.isFile()) throw systemError('ENOTSUP')
  if (stats.size > MAX_BYTES) throw systemError('EFBIG')
  const file = await open(target).catch(nothingThere)
  if (!file) return undefined
  try {
    // in this order: what changes while it is read is a change
    return { stats: await file.stat({ bigint: true }), text: await file.readFile('latin1') }
  } finally {
    await file.close()
  }
}

async function statOf(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(nothingThere)
}

function nothingThere(cause: unknown): undefined {
  if (systemCode(cause) !== 'ENOENT') throw cause
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one?.ino === other?.ino && one?.mtimeNs === other?.mtimeNs && one?.size === other?.size
}

async function writeBeside(
  path: string,
  { text, owner }: { text: string; owner: BigIntStats | undefined },
): Promise<void> {
  const file = await open(path, 'wx', PRIVATE)
  try {
    await file.writeFile(text, 'latin1')
    if (owner) await file.chown(Number(owner.uid), Number(owner.gid))
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Without it, a power failure could bring the old file back; some systems cannot, and then it is so. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined)
  await folder?.sync().catch(() => {})
  await folder?.close()
}
