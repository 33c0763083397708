import { LRUCache } from 'lru-cache'
import type { Clock } from '../../lib/clock.ts'
import { getOrCreate } from '../../lib/maps.ts'

/** More grants do not wait for one resource at a time. */
const MAX_GRANTS = 1000
/** The most callers of a grant that are remembered, about 100 bytes each; of more, the first half is forgotten. */
const MAX_KEYS = 100_000
/** As much of a key's id as tells keys apart. */
const ID_LENGTH = 12
/** Moments are spread over the callers that are refused, but not beyond this. */
const MAX_AHEAD_MS = 60_000
/** How long a promise is kept when its moment has come: with several instances, a caller may find the others first. */
const KEPT_MS = 300_000
/** The longer ago its moment, up to this, the sooner a caller gets a slot. */
const FULL_LATE_MS = 60_000
/** A caller that came back at its moment, and found its share full all the same, comes again so soon, then half as often. */
const AGAIN_MS = 3000
/** How long room is kept for callers that should have come back. */
const GRACE_MS = 10_000

/** Which token of which grant is asked for again. */
export interface RetryKey {
  readonly grant: string
  readonly keyId: string
}

/** When callers that were refused a slot have been promised one. A promise belongs to the key of the token and the grant. */
export interface RetryTimes {
  /**
   * Returns when the caller shall come back (ms), in whole seconds from now and not before `earliest`: a moment after those
   * of the grant's other callers, the same while it has not come, and one soon if it has.
   */
  promise(key: RetryKey, options: { earliest: number; intervalMs: number }): number
  /** Returns how long ago the caller's moment was: 0 if it is now, 1 if a minute ago or more; undefined if it has none. */
  lateness(key: RetryKey): number | undefined
  /** Whether callers of this grant may still come back for what they were promised. */
  hasPromises(grant: string): boolean
  /** Call when the caller has got its slot. */
  forget(key: RetryKey): void
}

interface GrantPromises {
  /** The latest moment that was promised. */
  last: number
  /** Moments by the beginning of the key's id. */
  recent: Map<string, number>
  /** Those before them. */
  older: Map<string, number>
}

/** Returns the promises of one resource on this instance, none at first. */
export function createRetryTimes(clock: Pick<Clock, 'now'>): RetryTimes {
  const byGrant = new LRUCache<string, GrantPromises>({ max: MAX_GRANTS })

  function promisedTo({ grant, keyId }: RetryKey): number | undefined {
    const id = idOf(keyId)
    const promises = byGrant.peek(grant)
    return promises?.recent.get(id) ?? promises?.older.get(id)
  }

  function remember(
    { grant, keyId }: RetryKey,
    { moment, promised }: { moment: number; promised: number },
  ): void {
    const create = (): GrantPromises => ({ last: 0, recent: new Map(), older: new Map() })
    const promises = getOrCreate<string, GrantPromises>(byGrant, { key: grant, create })
    promises.last = moment
    promises.recent.set(idOf(keyId), promised)
    if (promises.recent.size < MAX_KEYS / 2) return
    promises.older = promises.recent
    promises.recent = new Map()
  }

  return {
    promise(key, { earliest, intervalMs }) {
      const now = clock.now()
      const known = promisedTo(key) ?? 0
      // one further ahead is of a clock that was put back
      if (known > now && known <= now + MAX_AHEAD_MS + 1000) return known
      if (isKept(known, now)) {
        const againMs = Math.min(MAX_AHEAD_MS, Math.max(AGAIN_MS, now - known))
        return inWholeSeconds(Math.max(earliest, now + againMs), now)
      }
      const next = (byGrant.get(key.grant)?.last ?? 0) + intervalMs
      const moment = next < earliest || next > now + MAX_AHEAD_MS ? earliest : next
      const promised = inWholeSeconds(moment, now)
      remember(key, { moment, promised })
      return promised
    },
    lateness(key) {
      const [promised, now] = [promisedTo(key), clock.now()]
      if (promised === undefined || !isKept(promised, now)) return undefined
      return Math.min(1, (now - promised) / FULL_LATE_MS)
    },
    hasPromises(grant) {
      const leftMs = (byGrant.peek(grant)?.last ?? 0) - clock.now()
      return leftMs > -GRACE_MS && leftMs <= MAX_AHEAD_MS
    },
    forget({ grant, keyId }) {
      const promises = byGrant.peek(grant)
      promises?.recent.delete(idOf(keyId))
      promises?.older.delete(idOf(keyId))
    },
  }
}

const isKept = (promised: number, now: number) => promised <= now && now < promised + KEPT_MS

const inWholeSeconds = (moment: number, now: number) => now + Math.ceil((moment - now) / 1000) * 1000

const idOf = (keyId: string) => keyId.slice(0, ID_LENGTH)
