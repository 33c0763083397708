import { asJetonError } from '../errors.ts'
import type { BackgroundTasks } from '../lib/background-tasks.ts'
import type { Clock } from '../lib/clock.ts'
import { singleFlight } from '../lib/single-flight.ts'
import type { Log } from '../telemetry/log.ts'
import { isVendable } from './lifetime.ts'
import type { RateLimiter } from './rate-limit/rate-limiter.ts'
import type { Reservation, ReservationRequest } from './rate-limit/reservation.ts'
import { isSameOwner, type SlotOwner } from './rate-limit/slot-owner.ts'
import type { TokenKey } from './token-key.ts'
import type { Lease, StoredToken, TokenStore } from './token-store.ts'

/** Delivers a new token once, within its slot. A token that missed its slot takes another. */
export interface FirstDelivery {
  /**
   * Resolves when the token may leave: await it just before each delivery. Rejects if no other slot is near enough, or the
   * share of this caller, which is charged for it, is full.
   */
  deliver(owner: SlotOwner): Promise<void>
  /** Call instead of `deliver` if the token does not leave: other instances need not wait for it. */
  cancel(): void
  /** Whether it has been delivered: then `deliver` waits for nothing, for anyone. */
  isDelivered(): boolean
}

/** Slots are given early by less than this (ms): as long as tokens take from signature to delivery, a second at most. */
const MAX_EARLY_MS = 1000

/** For a token of another instance: it is stored, so it has been delivered. */
export const ALREADY_DELIVERED: FirstDelivery = {
  deliver: async () => {},
  cancel() {},
  isDelivered: () => true,
}

export interface FirstDeliveryParts {
  rateLimiter: Pick<RateLimiter, 'reserve' | 'isOnTime'>
  tokenStore: TokenStore
  backgroundTasks: BackgroundTasks
  clock: Clock
  log: Log
  /** Called for each new token that leaves for the first time. */
  onDelivered?: ((key: TokenKey) => void) | undefined
}

/** A token that has been signed and not delivered. */
export interface NewToken {
  key: TokenKey
  token: StoredToken
  /** What the store had when the lease was taken. */
  previous: StoredToken | undefined
  lease: Lease
  reservation: Pick<Reservation, 'reportDeliveryDelay'>
  /** The slot (ms) that the token was signed for. */
  slot: number
  /** What to reserve if the slot is missed, for whoever delivers the token then. */
  nextReservation: Omit<ReservationRequest, 'owner'>
  /** Called when another instance has minted meanwhile, with the token that the fleet uses. */
  onSuperseded(stored: StoredToken): void
}

/**
 * Returns the first delivery of a token. RDS's throttle counts the first login with a token, which follows its delivery, not
 * its signature. Between the two lies the audit log, which may hang for 2 s and then release many tokens at once. The token
 * is shared with the fleet at its first delivery; from then on it needs no slot.
 *
 *     signed ── audit record ── deliver ── slot on time ────────────── delivered, published to the store
 *                    │             └────── slot missed: another slot ──┘
 *                    └ failed ── cancel: the lease is released
 */
export function createFirstDelivery(
  { key, token, previous, lease, reservation, slot, nextReservation, onSuperseded }: NewToken,
  parts: FirstDeliveryParts,
): FirstDelivery {
  const { rateLimiter, tokenStore, clock } = parts
  let isDelivered = false
  let isCancelled = false
  /** Who is charged for the slot of the delivery under way. */
  let charged: SlotOwner | undefined
  const deliverOnce = singleFlight(deliverInSlot)

  async function deliverInSlot(owner: SlotOwner): Promise<void> {
    charged = owner
    reservation.reportDeliveryDelay(clock.now() - token.mintedAt)
    await waitFor(slot)
    if (!rateLimiter.isOnTime(slot)) await waitForAnotherSlot(owner)
    isDelivered = true
    parts.onDelivered?.(key)
    updateStoreInBackground(parts, { key, update: publish })
  }

  async function waitForAnotherSlot(owner: SlotOwner): Promise<void> {
    const next = await rateLimiter.reserve({ ...nextReservation, owner })
    await waitFor(await next.slot())
  }

  /** A slot that is further off was given before the clock was put back: its time may never come. */
  async function waitFor(slotAt: number): Promise<void> {
    await clock.sleep(Math.min(slotAt - clock.now(), MAX_EARLY_MS))
  }

  async function publish(): Promise<void> {
    if (!(await lease.publish(token))) await publishWithoutLease()
  }

  /** The lease ended before the delivery. If another instance has minted since, its token counts. */
  async function publishWithoutLease(): Promise<void> {
    const snapshot = await tokenStore.read(key)
    const { stored } = snapshot
    const isNew = stored && stored.token.fingerprint !== previous?.token.fingerprint
    if (isNew && isVendable(stored.token, clock.now())) onSuperseded(stored)
    else if (snapshot.leasedUntil <= clock.now()) {
      const nextLease = await tokenStore.lease(key, snapshot)
      await nextLease?.publish(token)
    }
  }

  return {
    async deliver(owner) {
      while (!isDelivered) {
        const delivery = deliverOnce(owner)
        const isOwn = charged !== undefined && isSameOwner(charged, owner)
        await delivery.catch(cause => {
          // another's share is full, which must not refuse this caller: it tries with its own
          if (isOwn || asJetonError(cause).code !== 'throttled') throw cause
        })
      }
    },
    cancel() {
      if (isDelivered || isCancelled || deliverOnce.isUnderWay()) return
      isCancelled = true
      updateStoreInBackground(parts, { key, update: () => lease.release() })
    },
    isDelivered: () => isDelivered,
  }
}

/** No request waits for the update. If it fails, the next read of the store fails too, and the lease ends by itself. */
export function updateStoreInBackground(
  { backgroundTasks, log }: Pick<FirstDeliveryParts, 'backgroundTasks' | 'log'>,
  { key, update }: { key: TokenKey; update: () => Promise<void> },
): void {
  backgroundTasks.add(
    update().catch(cause => {
      const { reason } = asJetonError(cause)
      log.warn(
        { event: 'token_not_shared', session: key.sessionName, reason },
        'the store was not updated after minting a token: other instances wait until the lease ends (16 s at most), then mint their own token; check the store',
      )
    }),
  )
}
