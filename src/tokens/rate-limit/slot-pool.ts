import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'
import { isPlausible, reserveSlots } from './slots.ts'

/**
 * The slots of one second are spread over this much, so that deliveries up to `MAX_DELIVERY_DELAY_MS` after their slots
 * cannot put one more into any second: 4% of the rate buys the room that fsync and the event loop need.
 */
const SPREAD_MS = 1040
/** A slot that is not used within this time is missed, and its token takes another. */
export const MAX_DELIVERY_DELAY_MS = SPREAD_MS - 1000
/** A slower preparation or delivery counts as this much, because it says little about the next. */
const MAX_LEARNED_MS = 1000
/** How much the latest measurement counts in a moving average. */
const LATEST_WEIGHT = 0.2
/** Deliveries this much after their slots do not make slots be given earlier. */
const TOLERATED_DELAY_MS = 10

/** The slots that this instance has reserved for one resource, and how long callers have lately taken to use one. */
export interface SlotPool {
  /** Between two slots (ms). */
  readonly spacingMs: number
  /** Moving average (ms) from joining the queue to being ready; mostly the STS call. */
  readonly preparationMs: number
  /** How many slots are left. */
  readonly size: number
  /** Sets how many slots a second has, for those to be reserved from now on. */
  setRate(perSecond: number): void
  /** Adds to the moving average of `preparationMs`. */
  reportPreparation(tookMs: number): void
  /** Adds to the moving average from signature to delivery, which is mostly the audit log. */
  reportDeliveryDelay(tookMs: number): void
  /** Drops slots that were missed, and those that a wrong clock put minutes ahead. */
  dropMissed(): void
  /** Returns the slot (ms) of a caller with `rank` others before it, as far as is known without reading the store. */
  expectedSlot(rank: number): number
  /** Reserves up to `count` more slots between the two times (ms), none if all are taken. Throws as `reserveSlots` does. */
  fill(wanted: { count: number; notBefore: number; notAfter: number }): Promise<void>
  /** Returns the soonest slot, and from when on it may be given so that its token is delivered within it (ms). */
  next(): { readonly slot: number; readonly from: number } | undefined
  /** Takes the soonest slot out of the pool. */
  takeNext(): void
}

export interface SlotPoolParts {
  store: Store
  clock: Clock
  resource: string
}

/** Returns an empty pool, which knows of no slots until it is filled. */
export function createSlotPool({ store, clock, resource }: SlotPoolParts): SlotPool {
  /** Soonest first. */
  let slots: number[] = []
  let spacingMs = 0
  /** The first slot that no instance has reserved, as far as is known. */
  let nextFree = 0
  /** The end of the slots that this instance reserved last, and the first of them that passed unused. */
  let own = { until: 0, unusedFrom: 0 }
  let preparationMs = 0
  let deliveryMs = 0
  /** How long the last write to the store took. */
  let writeMs = 0

  /** Slots at the end of the last reservation can be given back if no instance has reserved any after them. */
  function recordUnused(missed: readonly number[]): void {
    for (const slot of missed.toReversed()) {
      if (Math.abs(slot - (own.unusedFrom - spacingMs)) > 1) return
      own = { ...own, unusedFrom: slot }
    }
  }

  return {
    get spacingMs() {
      return spacingMs
    },
    get preparationMs() {
      return preparationMs
    },
    get size() {
      return slots.length
    },
    setRate(perSecond) {
      spacingMs = SPREAD_MS / perSecond
    },
    reportPreparation(tookMs) {
      preparationMs = movingAverage(preparationMs, tookMs)
    },
    reportDeliveryDelay(tookMs) {
      deliveryMs = movingAverage(deliveryMs, tookMs)
    },
    dropMissed() {
      const now = clock.now()
      const left = slots.filter(slot => slot >= now - MAX_DELIVERY_DELAY_MS && isPlausible(slot, now))
      if (left.length === 0) recordUnused(slots)
      slots = left
      if (!isPlausible(nextFree, now)) nextFree = now
    },
    expectedSlot: rank => slots[rank] ?? Math.max(nextFree, clock.now()) + (rank - slots.length) * spacingMs,
    async fill(wanted) {
      const reserved = await reserveSlots({ store, clock }, { ...wanted, resource, spacingMs, writeMs, own })
      writeMs = reserved.writeMs
      nextFree = reserved.nextFree
      if (reserved.slots.length > 0) own = { until: nextFree, unusedFrom: nextFree }
      slots.push(...reserved.slots)
    },
    next() {
      const [slot] = slots
      return slot === undefined
        ? undefined
        : { slot, from: slot - Math.max(0, deliveryMs - TOLERATED_DELAY_MS) }
    },
    takeNext() {
      slots.shift()
    },
  }
}

function movingAverage(averageMs: number, latestMs: number): number {
  return averageMs + (Math.min(Math.max(0, latestMs), MAX_LEARNED_MS) - averageMs) * LATEST_WEIGHT
}
