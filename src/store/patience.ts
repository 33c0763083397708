import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { isKept, MAX_KEPT_MS } from './record-format.ts'

/** How long the patience with one key is not renewed, counted from its first record that could not be read. */
const RENEWED_AFTER_MS = 60 * 60_000
/** Keys come from what callers ask for, so there may be many. */
const MAX_KEYS = 10_000

/** How long this instance leaves records alone that it cannot read. */
export interface Patience {
  /** Whether a record that cannot be read, and says itself until when (ms) it is to be kept, is not to be overwritten now. */
  leavesAlone(key: string, keepUntil: number): boolean
  /** Whether the patience with a key is used up: whatever is there may be overwritten. */
  isUsedUp(key: string): boolean
}

/**
 * Returns an instance's patience: 16 s in an hour for each key, whatever records say themselves, and however often another
 * one is put there.
 */
export function createPatience(clock: Pick<Clock, 'now'>): Patience {
  const since = new LRUCache<string, number>({ max: MAX_KEYS })

  /** Returns how long ago the first unreadable record of a key was met; undefined if it is forgotten, or there was none. */
  function ageMs(key: string): number | undefined {
    const age = clock.now() - (since.get(key) ?? Number.NaN)
    return age >= 0 && age < RENEWED_AFTER_MS ? age : undefined
  }

  const isUsedUp = (key: string) => (ageMs(key) ?? 0) >= MAX_KEPT_MS

  return {
    leavesAlone(key, keepUntil) {
      const now = clock.now()
      if (!isKept(keepUntil, now) || isUsedUp(key)) return false
      if (ageMs(key) === undefined) since.set(key, now)
      return true
    },
    isUsedUp,
  }
}
