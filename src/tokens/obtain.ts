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
import type { CacheRequest } from './cache-request.ts'
import { isVendable } from './lifetime.ts'
import type { Minter, SlotRequest } from './mint.ts'
import { SLOT_WAIT_MS } from './rate-limit/reservation.ts'
import type { TokenKey } from './token-key.ts'
import { LEASE_MS, type StoredToken, type TokenSnapshot } from './token-store.ts'

/** A key mints no more often than this, and a token that replaces a rejected replacement waits twice as long each time. */
const MINT_INTERVAL = { firstMs: 10_000, maxMs: 600_000 }
/** How far apart instances that have waited for a whole lease mint (ms). */
const MAX_STAGGER_MS = 1000
/** The wait between two reads of the store while another instance has the lease. */
const POLL_BACKOFF = { firstMs: 25, maxMs: 800 }

export interface Obtainer {
  /**
   * Returns a token for callers that cannot use the cached one: there is none, it ends too soon, or the database rejected it.
   * Reads the store until it has a usable token, the lease is free, or 16 s have passed; then mints. Leases that come one
   * after the other without a token are not waited for any longer: somebody may put them there. Throws what `mint` throws,
   * `throttled` if the key minted moments ago, and `temporarily_unavailable` if others even then change the record first.
   */
  obtain(entry: CacheEntry, request: CacheRequest): Promise<Obtained>
  /** Throws the refusal that `obtain` would throw, if that is certain from a read of the store within the last second. */
  check(entry: CacheEntry, request: CacheRequest): void
}

export interface ObtainerParts extends Minter {
  read(entry: CacheEntry): Promise<TokenSnapshot>
  clock: Clock
  /** From 0 to 1, as `Math.random`. */
  random(): number
  /** How long a caller waits for the slot of a new token, in milliseconds; 5 s unless given. */
  slotWaitMs?: number | undefined
}

/** Returns what obtains tokens from the store or by minting. */
export function createObtainer(parts: ObtainerParts): Obtainer {
  const { read, mint, checkSlot, clock, random, slotWaitMs = SLOT_WAIT_MS } = parts

  async function obtain(entry: CacheEntry, request: CacheRequest): Promise<Obtained> {
    check(entry, request)
    // not all instances at once: the first that mints has a token for the others
    const giveUpAt = clock.now() + LEASE_MS + random() * MAX_STAGGER_MS
    for (let polls = 0; ; polls++) {
      const snapshot = await read(entry)
      const { stored } = snapshot
      if (isNewer(stored, entry)) useShared(entry, stored)
      if (isUsable(stored, { entry, request }))
        return { cachedToken: useShared(entry, stored), isMinted: false }
      const now = clock.now()
      const hasWaitedLong = now >= giveUpAt
      if (snapshot.leasedUntil <= now || hasWaitedLong) {
        const cachedToken = await mintNext(entry, { snapshot, request })
        if (cachedToken) return { cachedToken, isMinted: true }
        if (hasWaitedLong) throw leasedTooLong(entry.key)
      }
      await clock.sleep(pollPauseMs(polls))
    }
  }

  /** A moment ago the store had no token to use: without a slot, there is no need to read it again. */
  function check(entry: CacheEntry, request: CacheRequest): void {
    const { current } = entry
    if (!hasRecentRead(entry, clock.now()) || isUsable(current, { entry, request })) return
    const { pauseMs, slotRequest } = nextMint(current, request)
    if (pauseMs > slotWaitMs) throw mintedTooRecently(pauseMs, slotRequest)
    checkSlot(entry, slotRequest)
  }

  /** Whether others can use the fleet's token, though this caller perhaps cannot: they need not wait for another. */
  function isNewer(stored: StoredToken | undefined, { current }: CacheEntry): stored is StoredToken {
    return stored !== undefined && isVendable(stored.token, clock.now()) && newest(stored, current) === stored
  }

  /** Whether the fleet's token can be vended, lasts as long as the request needs, and is neither the rejected one nor older than that. */
  function isUsable(
    stored: StoredToken | undefined,
    { entry, request }: { entry: CacheEntry; request: CacheRequest },
  ): stored is StoredToken {
    const { rejectedFingerprint, minimumMs } = request
    if (!stored || isRejected(stored, rejectedFingerprint)) return false
    if (!isVendable(stored.token, clock.now(), minimumMs)) return false
    const { current } = entry
    return !current || !isRejected(current, rejectedFingerprint) || stored.mintedAt > current.mintedAt
  }

  function pollPauseMs(polls: number): number {
    return jitteredMs(backoffMs(polls, POLL_BACKOFF), { low: 0.5, high: 1, random: random() })
  }

  async function mintNext(
    entry: CacheEntry,
    { snapshot, request }: { snapshot: TokenSnapshot; request: CacheRequest },
  ): Promise<CachedToken | undefined> {
    const { pauseMs, replacements, slotRequest } = nextMint(newest(snapshot.stored, entry.current), request)
    if (pauseMs > slotWaitMs) throw mintedTooRecently(pauseMs, slotRequest)
    await clock.sleep(pauseMs)
    const { minimumMs } = request
    return mint(entry, { snapshot, replacements, slotRequest, minimumMs })
  }

  /**
   * Returns when and how the token after the last one may be minted. A token in use that is due for renewal is renewed first.
   * After one that has expired, or that only this caller finds too short, it waits like a newcomer, and after one that was
   * rejected it comes last.
   */
  function nextMint(last: StoredToken | undefined, { owner, rejectedFingerprint }: CacheRequest): NextMint {
    const isReplacement = isRejected(last, rejectedFingerprint)
    const replacements = isReplacement ? (last?.replacements ?? 0) + 1 : 0
    const forMs = backoffMs(Math.max(0, replacements - 1), MINT_INTERVAL)
    const pauseMs = remainingMs({ since: last?.mintedAt ?? 0, forMs }, clock.now())
    const now = clock.now()
    const isDue = last !== undefined && now >= last.token.refreshAfter && now < last.token.expiresAt
    const hasPriority = isDue && !isReplacement
    const waitMs = slotWaitMs - pauseMs
    return {
      pauseMs,
      replacements,
      slotRequest: { owner, hasPriority, isReplacement, isOptional: false, waitMs },
    }
  }

  return { obtain, check }
}

interface NextMint {
  /** How much is left of the pause after the last mint (ms). */
  readonly pauseMs: number
  readonly replacements: number
  readonly slotRequest: SlotRequest
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

function mintedTooRecently(pauseMs: number, { isReplacement }: SlotRequest): JetonError {
  return new JetonError('throttled', {
    publicMessage: 'this token was signed moments ago; another is not signed so soon',
    reason: isReplacement
      ? 'a token was reported as rejected by the database soon after its signing; the pause doubles, up to 10 minutes, with each successor that is reported too'
      : 'the last token was signed moments ago, by a role session that was about to end because STS returned no other, and lasts for less than minimumSeconds asks for',
    retryAfterMs: pauseMs,
  })
}
