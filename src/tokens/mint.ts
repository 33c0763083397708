import { JetonError } from '../errors.ts'
import { resourceKey } from '../rds/database.ts'
import { type CachedToken, type CacheEntry, useShared } from './cache-entry.ts'
import { createFirstDelivery, type FirstDeliveryParts, updateStoreInBackground } from './first-delivery.ts'
import { canBeVended } from './lifetime.ts'
import type { RateLimiter } from './rate-limit/rate-limiter.ts'
import type { Reservation, ReservationRequest } from './rate-limit/reservation.ts'
import type { RoleSession, Token } from './token.ts'
import type { TokenKey } from './token-key.ts'
import type { Lease, StoredToken, TokenSnapshot } from './token-store.ts'

/** How long a caller waits for the slot of a new token, unless configured otherwise. */
export const SLOT_WAIT_MS = 5000

export interface MinterParts extends FirstDeliveryParts {
  sign(key: TokenKey, options: { session: RoleSession; at: number }): Promise<Token>
  rateLimiter: RateLimiter
  /** How long a caller waits for the slot of a new token, in milliseconds; 5 s unless given. */
  slotWaitMs?: number | undefined
  /** Called for each token signed. */
  onMinted?: ((key: TokenKey) => void) | undefined
}

/** How a caller waits for a slot. */
export type SlotRequest = Required<Pick<ReservationRequest, 'hasPriority' | 'isOptional' | 'waitMs'>>

/** What to mint, for one entry. */
export interface MintRequest {
  /** What the store had for the key when it was just read. */
  readonly snapshot: TokenSnapshot
  /** Whether the token replaces one that the database rejected. */
  readonly isReplacement: boolean
  readonly slotRequest: SlotRequest
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
   * Mints the next token of an entry, makes it the current one and returns it; undefined if another instance was quicker.
   * It leases the record first, so that only one instance takes a slot. It reserves the slot before it calls STS, so that a
   * refusal makes no call to AWS, and waits for it before it signs, so that the token has its full 15 minutes. Throws what
   * `checkSlot`, the role session or the store throws.
   */
  mint(entry: CacheEntry, request: MintRequest): Promise<CachedToken | undefined>
  /** Throws the refusal that `mint` would throw, if that is certain without reading the store. */
  checkSlot(entry: CacheEntry, slotRequest: SlotRequest): void
}

/** Returns a minter that delivers each new token within a slot of the rate limiter. */
export function createMinter(parts: MinterParts): Minter {
  const { sign, rateLimiter, tokenStore, clock, slotWaitMs = SLOT_WAIT_MS, onMinted } = parts

  function checkSlot({ key }: CacheEntry, slotRequest: SlotRequest): void {
    const refusal = rateLimiter.refusal(reservationRequest(key, slotRequest))
    if (refusal) throw refusal
  }

  async function mint(entry: CacheEntry, request: MintRequest): Promise<CachedToken | undefined> {
    const { key, session } = entry
    session.check()
    checkSlot(entry, request.slotRequest)
    const lease = await tokenStore.lease(key, request.snapshot)
    if (!lease) return undefined
    try {
      const signed = await signInSlot(entry, { lease, slotRequest: request.slotRequest })
      if (signed) entry.current = cachedTokenOf(signed, { entry, lease, request })
      return signed && entry.current
    } catch (cause) {
      updateStoreInBackground(parts, { key, update: () => lease.release() })
      throw cause
    }
  }

  async function signInSlot(
    { key, session }: CacheEntry,
    { lease, slotRequest }: { lease: Lease; slotRequest: SlotRequest },
  ): Promise<SignedToken | undefined> {
    const isReady = session.isFit()
    const reservation = await rateLimiter.reserve({ ...reservationRequest(key, slotRequest), isReady })
    try {
      const roleSession = await session.getForSigning()
      const slot = await reservation.slot()
      const mintedAt = clock.now()
      // the lease has ended, so another instance may have minted meanwhile
      if (mintedAt >= lease.until) return undefined
      const token = await sign(key, { session: roleSession, at: mintedAt })
      session.markUsed()
      if (!canBeVended(token, clock.now())) throw sessionTooShort(key)
      onMinted?.(key)
      return { token, mintedAt, reservation, slot }
    } finally {
      reservation.cancel()
    }
  }

  function cachedTokenOf(
    { token, mintedAt, reservation, slot }: SignedToken,
    { entry, lease, request }: { entry: CacheEntry; lease: Lease; request: MintRequest },
  ): CachedToken {
    const { key } = entry
    const stored: StoredToken = { token, mintedAt, isReplacement: request.isReplacement }
    const missedSlotRequest = { hasPriority: true, isOptional: false, waitMs: slotWaitMs }
    const delivery = createFirstDelivery(
      {
        key,
        token: stored,
        previous: request.snapshot.stored,
        lease,
        reservation,
        slot,
        nextReservation: { ...reservationRequest(key, missedSlotRequest), isReady: true },
        onSuperseded: newer => useShared(entry, newer),
      },
      parts,
    )
    return { ...stored, ...delivery, mintedHere: true }
  }

  return { mint, checkSlot }
}

function reservationRequest({ database }: TokenKey, slotRequest: SlotRequest): ReservationRequest {
  return { resource: resourceKey(database), perSecond: database.newTokensPerSecond, ...slotRequest }
}

function sessionTooShort(key: TokenKey): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS returned credentials that end too soon for a token; try again',
    reason: `STS returned a role session for ${key.sessionName} with less than 5 minutes left`,
    retryAfterMs: 10_000,
  })
}
