import type { Clock } from '../../lib/clock.ts'
import { getOrCreate } from '../../lib/maps.ts'
import type { EncryptedStore } from '../../store/store.ts'
import { type Reservation, type ReservationRequest, SLOT_WAIT_MS } from './reservation.ts'
import { createSlotPool, MAX_DELIVERY_DELAY_MS } from './slot-pool.ts'
import { createSlotQueue, type SlotQueue } from './slot-queue.ts'

/** Gives slots for new tokens of all RDS resources. */
export interface RateLimiter extends SlotQueue {
  /** Joins the queue and reserves a slot at once. Rejects as `QueuePlace.reserve` does. */
  reserve(request: ReservationRequest): Promise<Reservation>
  /** Whether a delivery now still counts as within the slot. */
  isOnTime(slot: number): boolean
}

export interface RateLimiterParts {
  /** Holds the slots of the fleet. Whoever could forge them could keep everybody from new tokens. */
  encryptedStore: EncryptedStore
  clock: Clock
  /** How long a caller waits for a slot, and so how far ahead slots are shared out, in milliseconds; 5 s unless given. */
  slotWaitMs?: number | undefined
}

/**
 * Returns a rate limiter. Slots are evenly spaced and come from one record per RDS resource that all instances share
 * (`reserveSlots`). Each instance reserves slots for itself, as far as the shares of its callers' grants and principals have
 * room, and when a slot has come decides which of its callers gets it (`createFairOrder`).
 */
export function createRateLimiter({
  encryptedStore,
  clock,
  slotWaitMs = SLOT_WAIT_MS,
}: RateLimiterParts): RateLimiter {
  const queues = new Map<string, SlotQueue>()

  function queueFor({ resource }: ReservationRequest): SlotQueue {
    return getOrCreate(queues, { key: resource, create: () => createQueue(resource) })
  }

  function createQueue(resource: string): SlotQueue {
    const pool = createSlotPool({ store: encryptedStore, clock, resource, horizonMs: slotWaitMs })
    return createSlotQueue({ pool, clock, resource })
  }

  return {
    join: request => queueFor(request).join(request),
    reserve: async request => queueFor(request).join(request).reserve(),
    refusal: request => queueFor(request).refusal(request),
    isOnTime: slot => Math.abs(clock.now() - slot) <= MAX_DELIVERY_DELAY_MS,
  }
}
