import { JetonError } from '../errors.ts'
import { backoffMs, jitteredMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { remainingMs } from '../lib/time-window.ts'
import {
  type CachedToken,
  type CacheEntry,
  hasRecentRead,
  isRejected,
  type Obtained,
  useShared,
} from './cache-entry.ts'
import { isVendable } from './lifetime.ts'
import { type Minter, SLOT_WAIT_MS, type SlotRequest } from './mint.ts'
import type { TokenKey } from './token-key.ts'
import { LEASE_MS, type StoredToken, type TokenSnapshot } from './token-store.ts'

/** However often callers report a token as rejected, its key mints no more often than this. */
const MIN_MINT_INTERVAL_MS = 10_000
/** Between two reads of the store while another instance has the lease. */
const POLL_BACKOFF = { firstMs: 25, maxMs: 800 }

/**
 * Obtains a token for callers that cannot use the one at hand: there is none, it is too old, or the database rejected it.
 * Reads the store until it has a usable token or the lease is free, then mints. Throws what `mint` throws, `throttled` if
 * the key minted less than 10 s ago, and `temporarily_unavailable` after 16 s of other instances' leases without a token.
 */
export type Obtain = (entry: CacheEntry, rejectedFingerprint: string | undefined) => Promise<Obtained>

export interface ObtainerParts extends Minter {
  read(entry: CacheEntry): Promise<TokenSnapshot>
  clock: Clock
  /** From 0 to 1, as `Math.random`. */
  random(): number
  /** How long a caller waits for the slot of a new token, in milliseconds; 5 s unless given. */
  slotWaitMs?: number | undefined
}

export function createObtainer(parts: ObtainerParts): Obtain {
  const { read, mint, checkSlot, clock, random, slotWaitMs = SLOT_WAIT_MS } = parts

  async function obtain(entry: CacheEntry, rejectedFingerprint: string | undefined): Promise<Obtained> {
    // the store was read a moment ago: without a slot, another read would change nothing
    if (hasRecentRead(entry, clock.now()))
      checkSlot(entry, slotRequestAfter(entry.current, rejectedFingerprint))
    const giveUpAt = clock.now() + LEASE_MS
    for (let polls = 0; ; ) {
      const snapshot = await read(entry)
      if (isUsable(snapshot.stored, { entry, rejectedFingerprint }))
        return { cachedToken: useShared(entry, snapshot.stored), isMinted: false }
      const now = clock.now()
      if (snapshot.leasedUntil <= now) {
        const cachedToken = await mintNext(entry, { snapshot, rejectedFingerprint })
        if (cachedToken) return { cachedToken, isMinted: true }
      } else if (now >= giveUpAt) throw leasedTooLong(entry.key)
      else await clock.sleepUntil(now + pollPauseMs(polls++))
    }
  }

  /** Whether the fleet's token can be vended, and is neither the rejected one nor older than that. */
  function isUsable(
    stored: StoredToken | undefined,
    { entry, rejectedFingerprint }: { entry: CacheEntry; rejectedFingerprint: string | undefined },
  ): stored is StoredToken {
    if (!stored || isRejected(stored, rejectedFingerprint) || !isVendable(stored.token, clock.now()))
      return false
    const { current } = entry
    return !current || !isRejected(current, rejectedFingerprint) || stored.mintedAt > current.mintedAt
  }

  function pollPauseMs(polls: number): number {
    return jitteredMs(backoffMs(polls, POLL_BACKOFF), { low: 0.5, high: 1, random: random() })
  }

  async function mintNext(
    entry: CacheEntry,
    { snapshot, rejectedFingerprint }: { snapshot: TokenSnapshot; rejectedFingerprint: string | undefined },
  ): Promise<CachedToken | undefined> {
    const last = newest(snapshot.stored, entry.current)
    const isReplacement = isRejected(last, rejectedFingerprint)
    const sinceLastMint = { since: last?.mintedAt ?? 0, forMs: MIN_MINT_INTERVAL_MS }
    const pauseMs = remainingMs(sinceLastMint, clock.now())
    if (pauseMs > slotWaitMs) throw mintedTooRecently(pauseMs)
    await clock.sleepUntil(clock.now() + pauseMs)
    // the database has rejected a replacement too: its role session may be the reason
    if (isReplacement && last?.isReplacement) entry.session.discard()
    const slotRequest = { ...slotRequestAfter(last, rejectedFingerprint), waitMs: slotWaitMs - pauseMs }
    return mint(entry, { snapshot, isReplacement, slotRequest })
  }

  /** A token in use is renewed first. After one that was rejected or has expired, a caller queues like a newcomer. */
  function slotRequestAfter(
    last: StoredToken | undefined,
    rejectedFingerprint: string | undefined,
  ): SlotRequest {
    const hasPriority =
      last !== undefined && !isRejected(last, rejectedFingerprint) && last.token.expiresAt > clock.now()
    return { hasPriority, isOptional: false, waitMs: slotWaitMs }
  }

  return obtain
}

function newest(a: StoredToken | undefined, b: StoredToken | undefined): StoredToken | undefined {
  return (b?.mintedAt ?? 0) > (a?.mintedAt ?? 0) ? b : a
}

function leasedTooLong(key: TokenKey): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'another instance has been at this token for too long; try again',
    reason: `other instances leased ${key.sessionName} one after the other and stored no token`,
    retryAfterMs: 1000,
  })
}

function mintedTooRecently(pauseMs: number): JetonError {
  return new JetonError('throttled', {
    publicMessage: 'this token was signed moments ago; another is not signed so soon',
    reason: 'a token was reported as rejected by the database within 10 s of its signing',
    retryAfterMs: pauseMs,
  })
}
