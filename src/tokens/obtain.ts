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

/** A key mints no more often than this, however often callers report its token as rejected. */
const MIN_MINT_INTERVAL_MS = 10_000
/** The wait between two reads of the store while another instance has the lease. */
const POLL_BACKOFF = { firstMs: 25, maxMs: 800 }

/**
 * Returns a token for callers that cannot use the cached one: there is none, it is too old, or the database rejected it.
 * Reads the store until it has a usable token or the lease is free; then mints. Throws what `mint` throws, `throttled` if
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

/** Returns the function that obtains tokens from the store or by minting. */
export function createObtainer(parts: ObtainerParts): Obtain {
  const { read, mint, checkSlot, clock, random, slotWaitMs = SLOT_WAIT_MS } = parts

  async function obtain(entry: CacheEntry, rejectedFingerprint: string | undefined): Promise<Obtained> {
    // a moment ago the store had no token to use: without a slot, there is no need to read it again
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

  /** A token in use is renewed first. After one that was rejected or has expired, a caller waits like a newcomer. */
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
    publicMessage: 'another instance has been minting this token for too long; try again',
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
