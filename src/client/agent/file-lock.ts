import { randomUUID } from 'node:crypto'
import { open, readFile, rm } from 'node:fs/promises'
import { jitteredMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { systemCode } from '../../lib/system-error.ts'
import { failure } from '../errors.ts'

export interface FileLockParts {
  /** Of the time that passes: it judges how long a lock has not changed. */
  clock: Pick<Clock, 'now' | 'sleep'>
  /** From 0 to 1, as `Math.random`. */
  random: () => number
}

/** The right to write one file, for a moment. */
export interface FileLock {
  /** Whether nobody has taken it away, as one who thinks this process dead does. */
  isHeld(): Promise<boolean>
}

/** A write takes milliseconds: who holds a lock for so long is dead, or its machine stands still. */
const STALE_MS = 5000
/** How long somebody waits while others come and go. */
const PATIENCE_MS = 30_000
const ASK_AGAIN_MS = 25

/**
 * Returns what `work` resolves with, while no other agent has the lock of the file at `path`: a file beside it that is there for
 * as long. It holds between containers and machines that share the folder, since no clock but one's own and no process id decides
 * whether it was left behind. Rejects if the lock cannot be made or got, and with what `work` rejects.
 */
export async function withFileLock<T>(
  path: string,
  work: (lock: FileLock) => Promise<T>,
  parts: FileLockParts,
): Promise<T> {
  const name = `${path}.jeton-lock`
  const id = randomUUID()
  await acquire({ name, id }, parts)
  const isHeld = async () => (await holderOf(name)) === id
  try {
    return await work({ isHeld })
  } finally {
    if (await isHeld()) await rm(name, { force: true })
  }
}

async function acquire(
  { name, id }: { name: string; id: string },
  { clock, random }: FileLockParts,
): Promise<void> {
  const giveUpAt = clock.now() + PATIENCE_MS
  let seen: { holder: string; since: number } | undefined
  while (!(await tryToCreate(name, id))) {
    const holder = await holderOf(name)
    if (holder === undefined) continue
    if (seen?.holder !== holder) seen = { holder, since: clock.now() }
    // two may find it stale, and the second remove the first one's new lock: that one sees it before it replaces anything
    if (clock.now() - seen.since >= STALE_MS) await rm(name, { force: true })
    else if (clock.now() >= giveUpAt) throw failure(`others write to it all the time (${name})`)
    else await clock.sleep(jitteredMs(ASK_AGAIN_MS, { low: 0.5, high: 1.5, random: random() }))
  }
}

async function tryToCreate(name: string, id: string): Promise<boolean> {
  // nothing in it is secret, and another user may have to see whether it changes
  const file = await open(name, 'wx', 0o644).catch(cause => {
    if (systemCode(cause) === 'EEXIST') return undefined
    throw cause
  })
  if (!file) return false
  try {
    await file.writeFile(id)
    return true
  } catch (cause) {
    // the disk is full: nobody is to wait for a lock that nobody has
    await rm(name, { force: true })
    throw cause
  } finally {
    await file.close()
  }
}

/** Returns who has a lock; undefined if there is none. */
async function holderOf(name: string): Promise<string | undefined> {
  return readFile(name, 'utf8').catch(cause => {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw cause
  })
}
