import type { Clock } from '../../lib/clock.ts'
import { getOrCreate } from '../../lib/maps.ts'
import type { Store } from '../../store/store.ts'
import type { ReservationRequest } from './reservation.ts'
import { createSlotPool, MAX_DELIVERY_DELAY_MS } from './slot-pool.ts'
import { createSlotQueue, type SlotQueue } from './slot-queue.ts'

/** Gives slots for new tokens of all RDS resources. */
export interface RateLimiter extends SlotQueue {
  /** Whether a delivery now, at its slot or after it, still counts as within that slot. */
  isOnTime(slot: number): boolean
}

/**
 * Returns a rate limiter. Slots are evenly spaced and come from one record per RDS resource that all instances share
 * (`reserveSlots`). Each instance reserves slots for itself, and when a slot has come decides which of its callers gets it:
 * those with priority first, then in order of arrival, skipping callers that are not ready to sign yet.
 */
export function createRateLimiter({ store, clock }: { store: Store; clock: Clock }): RateLimiter {
  const queues = new Map<string, SlotQueue>()

  function queueFor({ resource }: ReservationRequest): SlotQueue {
    return getOrCreate(queues, { key: resource, create: () => createQueue(resource) })
  }

  function createQueue(resource: string): SlotQueue {
    return createSlotQueue({ pool: createSlotPool({ store, clock, resource }), clock, resource })
  }

  return {
    reserve: request => queueFor(request).reserve(request),
    refusal: request => queueFor(request).refusal(request),
    isOnTime: slot => clock.now() - slot <= MAX_DELIVERY_DELAY_MS,
  }
}
