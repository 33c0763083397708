import type { Clock } from '../../lib/clock.ts'
import { getOrCreate } from '../../lib/maps.ts'
import { singleFlightByKey } from '../../lib/single-flight.ts'
import { remainingMs } from '../../lib/time-window.ts'
import type { EncryptedStore } from '../../store/store.ts'
import type { FleetSlots } from '../../telemetry/readings.ts'
import { type Reservation, type ReservationRequest, SLOT_WAIT_MS } from './reservation.ts'
import { createSlotPool, MAX_DELIVERY_DELAY_MS, type SlotPool, slotSpacingMs } from './slot-pool.ts'
import { createSlotQueue, type ReadableSlotQueue, type SlotQueue } from './slot-queue.ts'
import { countFree, type Horizon } from './slot-share.ts'
import type { SlotsRead } from './slots.ts'

/** Gives slots for new tokens of all RDS resources. */
export interface RateLimiter extends SlotQueue {
  /** Joins the queue and reserves a slot at once. Rejects as `QueuePlace.reserve` does. */
  reserve(request: ReservationRequest): Promise<Reservation>
  /** Whether a delivery now still counts as within the slot. */
  isOnTime(slot: number): boolean
}

/** Which resource is read, and its configured rate. */
export type ReadRate = Pick<ReservationRequest, 'resource' | 'perSecond'>

/** What may be read of a rate limiter. */
export interface SlotReadings {
  /** How far ahead slots are reserved (ms). */
  readonly horizonMs: number
  /** Returns how many callers of this instance wait for a slot, for each grant as it is in `SlotOwner`. */
  waiting(resource: string): ReadonlyMap<string, number>
  /** Returns what is known of the fleet's slots; undefined until their record was read. Reads nothing. */
  fleetSlots(rate: ReadRate): FleetSlots | undefined
  /** Reads the record of the fleet's slots, unless that was done within the last second. Never rejects. */
  refreshFleetSlots(rate: ReadRate): Promise<void>
}

export interface ReadableRateLimiter extends RateLimiter, SlotReadings {}

/** For how long what was read counts as fresh. */
const FRESH_MS = 1000

export interface RateLimiterParts {
  /** Holds the slots of the fleet. Whoever could forge them could keep everybody from new tokens. */
  encryptedStore: EncryptedStore
  clock: Clock
  /** How long a caller waits for a slot, and so how far ahead slots are shared out, in milliseconds; 5 s unless given. */
  slotWaitMs?: number | undefined
  /** Called for each slot that a caller gets, with how long it waited (ms), the time for its role session left out. */
  onSlotGiven?: ((given: { resource: string; waitedMs: number }) => void) | undefined
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
  onSlotGiven,
}: RateLimiterParts): ReadableRateLimiter {
  // apart, because a queue takes more memory: whoever only reads needs none
  const pools = new Map<string, SlotPool>()
  const queues = new Map<string, ReadableSlotQueue>()
  const reads = singleFlightByKey<void>()

  function poolFor(resource: string): SlotPool {
    const create = () => createSlotPool({ store: encryptedStore, clock, resource, horizonMs: slotWaitMs })
    return getOrCreate(pools, { key: resource, create })
  }

  function queueFor({ resource }: ReservationRequest): SlotQueue {
    return getOrCreate(queues, { key: resource, create: () => createQueue(resource) })
  }

  function createQueue(resource: string): ReadableSlotQueue {
    const onGiven = onSlotGiven && ((waitedMs: number) => onSlotGiven({ resource, waitedMs }))
    return createSlotQueue({ pool: poolFor(resource), clock, resource, onSlotGiven: onGiven })
  }

  async function refreshFleetSlots({ resource, perSecond }: ReadRate): Promise<void> {
    const pool = poolFor(resource)
    const since = pool.fleet?.readAt ?? 0
    if (remainingMs({ since, forMs: FRESH_MS }, clock.now()) > 0) return
    pool.setRate(perSecond)
    // what was known before stays, and how old it is says enough
    await reads.run(resource, pool.readFleet).catch(() => {})
  }

  return {
    join: request => queueFor(request).join(request),
    reserve: async request => queueFor(request).join(request).reserve(),
    refusal: request => queueFor(request).refusal(request),
    isOnTime: slot => Math.abs(clock.now() - slot) <= MAX_DELIVERY_DELAY_MS,
    horizonMs: slotWaitMs,
    waiting: resource => queues.get(resource)?.waiting() ?? new Map(),
    fleetSlots({ resource, perSecond }) {
      const fleet = pools.get(resource)?.fleet
      const horizon = { horizonMs: slotWaitMs, spacingMs: slotSpacingMs(perSecond), now: clock.now() }
      return fleet && describeFleet(fleet, horizon)
    },
    refreshFleetSlots,
  }
}

function describeFleet({ use, readAt }: SlotsRead, horizon: Horizon): FleetSlots {
  const { now } = horizon
  return {
    readAt,
    nextFreeAt: Math.max(use.next, now),
    reserved: use.held.filter(({ at }) => at > now).length,
    free: countFree(use, horizon),
  }
}
