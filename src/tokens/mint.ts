import { JetonError } from '../errors.ts'
import { waitAtMost } from '../lib/deadline.ts'
import { resourceKey } from '../rds/database.ts'
import { type CachedToken, type CacheEntry, useShared } from './cache-entry.ts'
import { createFirstDelivery, type FirstDeliveryParts, updateStoreInBackground } from './first-delivery.ts'
import { canBeVended } from './lifetime.ts'
import type { RateLimiter } from './rate-limit/rate-limiter.ts'
import {
  type QueuePlace,
  type Reservation,
  type ReservationRequest,
  SLOT_WAIT_MS,
} from './rate-limit/reservation.ts'
import type { SessionProvider } from './role-session/session-provider.ts'
import type { RoleSession, Token } from './token.ts'
import type { TokenKey } from './token-key.ts'
import type { Lease, StoredToken, TokenSnapshot } from './token-store.ts'

/** How long STS may take for a caller that can do without the new token. */
const OPTIONAL_SESSION_WAIT_MS = 250

export interface MinterParts extends FirstDeliveryParts {
  sign(key: TokenKey, options: { session: RoleSession; at: number }): Promise<Token>
  rateLimiter: RateLimiter
  /** How long a caller waits for the slot of a new token, in milliseconds; 5 s unless given. */
  slotWaitMs?: number | undefined
  /** Called for each token signed. */
  onMinted?: ((key: TokenKey) => void) | undefined
}

/** How a caller waits for a slot. */
export type SlotRequest = Required<
  Pick<ReservationRequest, 'owner' | 'hasPriority' | 'isReplacement' | 'isOptional' | 'waitMs'>
>

/** What to mint, for one entry. */
export interface MintRequest {
  /** What the store had for the key when it was just read. */
  readonly snapshot: TokenSnapshot
  /** As in `StoredToken`, for the token to be minted. */
  readonly replacements: number
  readonly slotRequest: SlotRequest
  /** How long the token must last at least (ms), if longer than 5 minutes. */
  readonly minimumMs?: number | undefined
}

interface LeasedMint {
  readonly lease: Lease
  readonly request: MintRequest
  readonly place: QueuePlace
}

interface SignedToken {
  readonly token: Token
  readonly mintedAt: number
  readonly reservation: Reservation
  readonly slot: number
}

/** Mints tokens for cache entries. */
export interface Minter {
  /**
   * Mints the next token of an entry, makes it the current one and returns it; undefined if another instance was quicker, or
   * if the request can do without and STS takes more than 250 ms. It joins the queue first, so that a refusal writes nothing,
   * then leases the record, so that only one instance takes a slot. It reserves the slot before it calls STS, which so is
   * called no faster than slots come, and waits for it before it signs, so that the token has its full 15 minutes. Throws
   * what `checkSlot`, the role session or the store throws.
   */
  mint(entry: CacheEntry, request: MintRequest): Promise<CachedToken | undefined>
  /** Throws the refusal that `mint` would throw, if that is certain without reading the store. */
  checkSlot(entry: CacheEntry, slotRequest: SlotRequest): void
}

/** Returns a minter that delivers each new token within a slot of the rate limiter. */
export function createMinter(parts: MinterParts): Minter {
  const { sign, rateLimiter, tokenStore, clock, onMinted } = parts
  const { slotWaitMs = SLOT_WAIT_MS } = parts

  function checkSlot({ key }: CacheEntry, slotRequest: SlotRequest): void {
    const refusal = rateLimiter.refusal(reservationRequest(key, slotRequest))
    if (refusal) throw refusal
  }

  async function mint(entry: CacheEntry, request: MintRequest): Promise<CachedToken | undefined> {
    const { key, session } = entry
    const { minimumMs } = request
    session.check(minimumMs)
    const isReady = !isSessionSuspect(request) && session.isFit(minimumMs)
    const place = rateLimiter.join({ ...reservationRequest(key, request.slotRequest), isReady })
    try {
      const lease = await tokenStore.lease(key, request.snapshot)
      return lease && (await mintInPlace(entry, { lease, request, place }))
    } finally {
      place.leave()
    }
  }

  async function mintInPlace(entry: CacheEntry, leased: LeasedMint): Promise<CachedToken | undefined> {
    const release = () =>
      updateStoreInBackground(parts, { key: entry.key, update: () => leased.lease.release() })
    try {
      const signed = await signInSlot(entry, leased)
      if (signed) entry.current = cachedTokenOf(signed, { entry, leased })
      else release()
      return signed && entry.current
    } catch (cause) {
      release()
      throw cause
    }
  }

  async function signInSlot(
    { key, session }: CacheEntry,
    { lease, request, place }: LeasedMint,
  ): Promise<SignedToken | undefined> {
    const reservation = await place.reserve()
    if (isSessionSuspect(request)) session.discard()
    const { minimumMs } = request
    if (!session.isFit(minimumMs)) await clock.sleep(reservation.prepareAt - clock.now())
    if (request.slotRequest.isOptional && !(await hasSessionSoon(session))) return undefined
    const roleSession = await session.getForSigning(minimumMs)
    const slot = await reservation.slot()
    const mintedAt = clock.now()
    // the lease has ended, so another instance may have minted meanwhile
    if (mintedAt >= lease.until) return undefined
    const token = await sign(key, { session: roleSession, at: mintedAt })
    session.markUsed()
    if (!canBeVended(token, clock.now())) throw sessionTooShort(key)
    onMinted?.(key)
    return { token, mintedAt, reservation, slot }
  }

  /** Renews a role session that is not fit. After 250 ms the call to STS goes on beside requests. */
  async function hasSessionSoon(session: SessionProvider): Promise<boolean> {
    if (session.isFit()) return true
    await waitAtMost(session.renew(), { clock, maxMs: OPTIONAL_SESSION_WAIT_MS })
    return session.isFit()
  }

  function cachedTokenOf(
    { token, mintedAt, reservation, slot }: SignedToken,
    { entry, leased: { lease, request } }: { entry: CacheEntry; leased: LeasedMint },
  ): CachedToken {
    const { key } = entry
    const stored: StoredToken = { token, mintedAt, replacements: request.replacements }
    const { owner } = request.slotRequest
    const missed = { owner, hasPriority: true, isReplacement: false, isOptional: false, waitMs: slotWaitMs }
    const delivery = createFirstDelivery(
      {
        key,
        token: stored,
        previous: request.snapshot.stored,
        lease,
        reservation,
        slot,
        nextReservation: { ...reservationRequest(key, missed), hasMissedSlot: true, isReady: true },
        onSuperseded: newer => useShared(entry, newer),
      },
      parts,
    )
    return { ...stored, ...delivery, mintedHere: true }
  }

  return { mint, checkSlot }
}

function reservationRequest({ id, database }: TokenKey, slotRequest: SlotRequest): ReservationRequest {
  const { newTokensPerSecond: perSecond } = database
  return { resource: resourceKey(database), perSecond, keyId: id, ...slotRequest }
}

/** The database has rejected a replacement too: the role session that signed it may be the reason. */
function isSessionSuspect({ replacements }: MintRequest): boolean {
  return replacements > 1
}

function sessionTooShort(key: TokenKey): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS returned credentials that end too soon for a token; try again',
    reason: `STS returned a role session for ${key.sessionName} with less than 5 minutes left`,
    retryAfterMs: 10_000,
  })
}
