import { randomBytes } from 'node:crypto'
import { readdir, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve as resolvePath } from 'node:path'
import type { Clock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { messageOf, systemCode } from '../../lib/system-error.ts'
import { askState, listenAs, openSocketFolder, type SocketFolder } from './lock-socket.ts'

const ID = /^[0-9a-f]{16}$/
const MAX_BASE_BYTES = 40
const ASK_AGAIN_MS = 20
/** How long a process may want a lock without getting it or giving up: as long as a start on a busy machine. */
const MAX_WAIT_MS = 5000
/** Nobody is killed between these two steps for so long: only litter is this old. */
const MAX_TEMPORARY_AGE_MS = 60_000

/** Why a file cannot be locked: another process has it. */
export class FileTaken extends Error {
  override readonly name = 'FileTaken'
}

/**
 * Keeps a second process from writing to the file at `path`. Returns a function that unlocks it. Rejects, naming the file,
 * if another process has it, or if its folder cannot be written. The lock is a listening socket in the file's own folder,
 * `FILE.lock-ID`: only who may write there can take it, in whatever container, and the kernel releases it however the
 * process ends. It does NOT reach across machines that share a folder.
 */
export async function lockFile(path: string, clock: Clock): Promise<() => Promise<void>> {
  const { prefix, name, folder } = await openPlace(path)
  let isHeld = false
  let stopListening = async () => {}
  const unlock = async () => {
    await stopListening()
    await folder.close()
  }
  try {
    stopListening = await listenAs(name, { folder, stateOf: () => (isHeld ? 'held' : 'wanted') }).catch(
      cause => {
        throw lockFailure(path, cause)
      },
    )
    await waitUntilFree({ path, name, prefix, folder, clock })
    isHeld = true
    return unlock
  } catch (error) {
    await unlock()
    throw error
  }
}

/**
 * Finds out whether the file at `path` could be locked, and whether another process has it or wants it, without taking the
 * lock: a server that starts meanwhile is not kept from it. Rejects as `lockFile` does if no lock can be made there.
 */
export async function tryLock(path: string): Promise<'free' | 'taken'> {
  const { prefix, name, folder } = await openPlace(path)
  try {
    // a name that no lock has, so that nobody takes it for one
    const trialName = name.replace('.lock-', '.try-')
    const stopListening = await listenAs(trialName, { folder, stateOf: () => 'wanted' }).catch(cause => {
      throw lockFailure(path, cause)
    })
    await stopListening()
    const others = (await readdir(folder.path)).filter(
      other => other.startsWith(prefix) && ID.test(other.slice(prefix.length)),
    )
    const states = await Promise.all(others.map(other => askOrExplain(other, { path, folder })))
    return states.some(state => state !== undefined) ? 'taken' : 'free'
  } finally {
    await folder.close()
  }
}

async function openPlace(path: string): Promise<Pick<Candidate, 'prefix' | 'name' | 'folder'>> {
  const target = await resolveTarget(path)
  const base = basename(target)
  const prefix = `${Buffer.byteLength(base) > MAX_BASE_BYTES ? sha256Hex(base).slice(0, 32) : base}.lock-`
  const name = `${prefix}${randomBytes(8).toString('hex')}`
  const folder = await openSocketFolder(dirname(target), { longestName: `${name}.new` })
  return { prefix, name, folder }
}

function lockFailure(path: string, cause: unknown): Error {
  return new Error(
    `${path}: the lock of this audit file cannot be made in its folder (${systemCode(cause)}): ${WRITABLE}`,
  )
}

interface Candidate {
  readonly path: string
  readonly name: string
  readonly prefix: string
  readonly folder: SocketFolder
  readonly clock: Clock
}

/**
 * Resolves when no other process has the lock, or wants it and may still get it. Of two that want it, each of which is
 * listening before it looks, at least one sees the other. The one with the greater name then gives up; the other waits
 * until that has given up or, because it looked too early, has the lock.
 */
async function waitUntilFree({ path, name, prefix, folder, clock }: Candidate): Promise<void> {
  const giveUpAt = clock.now() + MAX_WAIT_MS
  for (;;) {
    const listed = (await namesIn(folder, prefix)).filter(other => other !== name)
    const states = await Promise.all(listed.map(other => askOrRemove(other, { path, folder })))
    const others = listed.filter((_, i) => states[i] !== undefined)
    if (others.length === 0) return
    if (states.includes('held') || others.some(other => other < name) || clock.now() >= giveUpAt)
      throw new FileTaken(`${path}: another process writes to this audit file: ${OWN_FILE}`)
    await clock.sleep(ASK_AGAIN_MS)
  }
}

/**
 * Removes the name of a process that has ended: names are never used again, so nobody else's can be meant. What cannot be
 * removed, such as a folder, holds nothing either.
 */
async function askOrRemove(name: string, { path, folder }: Pick<Candidate, 'path' | 'folder'>) {
  const state = await askOrExplain(name, { path, folder })
  if (state === undefined) await removeIfPossible(join(folder.path, name))
  return state
}

function askOrExplain(name: string, { path, folder }: Pick<Candidate, 'path' | 'folder'>) {
  return askState(folder.addressOf(name)).catch(cause => {
    const lock = join(folder.path, name)
    throw new Error(
      `${path}: cannot tell whether another process writes to this audit file (${messageOf(cause)}): if none does, remove ${lock}`,
    )
  })
}

/** Returns the names of all who have or want the lock, and removes litter of those killed before they had one. */
async function namesIn(folder: SocketFolder, prefix: string): Promise<string[]> {
  const names: string[] = []
  for (const name of await readdir(folder.path)) {
    if (!name.startsWith(prefix)) continue
    const [id = '', suffix] = name.slice(prefix.length).split('.')
    if (!ID.test(id)) continue
    if (suffix === undefined) names.push(name)
    else if (suffix === 'new') await removeIfOld(join(folder.path, name))
  }
  return names
}

async function removeIfOld(path: string): Promise<void> {
  const stats = await stat(path).catch(() => undefined)
  // by the machine's own time, as the file system's is
  if (stats && Date.now() - stats.mtimeMs > MAX_TEMPORARY_AGE_MS) await removeIfPossible(path)
}

async function removeIfPossible(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {})
}

/** Returns the one path of the file that all its names lead to. */
async function resolveTarget(path: string): Promise<string> {
  const fullPath = resolvePath(path)
  try {
    return await realpath(fullPath)
  } catch {
    return join(await realpath(dirname(fullPath)), basename(fullPath))
  }
}

const OWN_FILE = 'give each instance a file of its own'
const WRITABLE = 'jeton must be able to write there, and the folder must be on a file system of this machine'
