import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'
import { NO_SLOTS } from './slot-record.ts'
import {
  type HeldSlot,
  type Horizon,
  reachMs,
  type Shortage,
  type SlotClaim,
  type SlotUse,
  shortageOf,
} from './slot-share.ts'
import { isPlausible, readSlots, reserveSlots, type SlotsRead } from './slots.ts'

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
  /**
   * Returns what keeps a claim from a slot of its own once those `before` it have theirs; undefined if it is not certain
   * without reading the store that anything does.
   */
  shortageOf(claim: SlotClaim, before: readonly SlotClaim[]): Shortage | undefined
  /** Returns from when on (ms) a claim may reserve the next free slot if its share is not full. */
  openFrom(claim: SlotClaim): number
  /** Returns how many grants have slots ahead, as far as is known. */
  countGrants(): number
  /**
   * Reserves a slot for each claim between the two times (ms), as far as their owners' shares have room. Returns the claims
   * that got none, and why. Throws as `reserveSlots` does.
   */
  fill<Claim extends SlotClaim>(wanted: {
    claims: readonly Claim[]
    notBefore: number
    notAfter: number
  }): Promise<ReadonlyMap<Claim, Shortage>>
  /** Returns the soonest slot, and from when on it may be given so that its token is delivered within it (ms). */
  next(): { readonly slot: number; readonly from: number } | undefined
  /** Takes the soonest slot out of the pool. */
  takeNext(): void
  /** What is known of the slots of all instances; undefined until their record was read since the clock was put back. */
  readonly fleet: SlotsRead | undefined
  /** Reads the record again, which changes nothing else. Rejects if the store cannot be reached. */
  readFleet(): Promise<void>
}

export interface SlotPoolParts {
  store: Store
  clock: Clock
  resource: string
  /** How far ahead slots are reserved: as far as a caller waits for one (ms). */
  horizonMs: number
}

/** Returns the time (ms) between two slots at a rate. */
export function slotSpacingMs(perSecond: number): number {
  return SPREAD_MS / perSecond
}

/** Returns an empty pool, which knows of no slots until it is filled. */
export function createSlotPool({ store, clock, resource, horizonMs }: SlotPoolParts): SlotPool {
  /** Soonest first. */
  let slots: number[] = []
  let spacingMs = 0
  /** What all instances have reserved, as far as is known. */
  let use: SlotUse = NO_SLOTS
  /** When that was read (ms). */
  let readAt: number | undefined
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

  /** A clock that was put back makes slots seem to be further ahead than any can be. */
  function forgetImplausible(): void {
    if (isPlausible(use.next, horizonNow())) return
    use = NO_SLOTS
    readAt = undefined
  }

  const known = () => ({ resource, horizonMs, spacingMs, own, knownNext: use.next })
  const horizonNow = (): Horizon => ({ horizonMs, spacingMs, now: clock.now() })

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
      spacingMs = slotSpacingMs(perSecond)
    },
    reportPreparation(tookMs) {
      preparationMs = movingAverage(preparationMs, tookMs)
    },
    reportDeliveryDelay(tookMs) {
      deliveryMs = movingAverage(deliveryMs, tookMs)
    },
    dropMissed() {
      const horizon = horizonNow()
      const earliest = horizon.now - MAX_DELIVERY_DELAY_MS
      const left = slots.filter(slot => slot >= earliest && isPlausible(slot, horizon))
      if (left.length === 0) recordUnused(slots)
      slots = left
      forgetImplausible()
    },
    expectedSlot: rank => slots[rank] ?? Math.max(use.next, clock.now()) + (rank - slots.length) * spacingMs,
    shortageOf(claim, before) {
      const first = Math.max(use.next, clock.now())
      const held = before.map(({ owner }, i): HeldSlot => ({ at: first + i * spacingMs, owner }))
      const next = first + before.length * spacingMs
      return shortageOf(claim, { held: [...use.held, ...held], next }, horizonNow())
    },
    openFrom: claim => use.next - reachMs(claim, use, horizonNow()),
    countGrants() {
      const now = clock.now()
      return new Set(use.held.filter(({ at }) => at > now).map(({ owner }) => owner.grant)).size
    },
    async fill(wanted) {
      const reserved = await reserveSlots({ store, clock }, { ...wanted, ...known(), writeMs })
      writeMs = reserved.writeMs
      use = reserved.use
      readAt = reserved.readAt
      if (reserved.slots.length > 0) own = { until: use.next, unusedFrom: use.next }
      slots.push(...reserved.slots)
      return reserved.refused
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
    get fleet() {
      return readAt === undefined || !isPlausible(use.next, horizonNow()) ? undefined : { use, readAt }
    },
    async readFleet() {
      forgetImplausible()
      const before = use
      const read = await readSlots({ store, clock }, known())
      // whoever reserved meanwhile knows more
      if (use !== before) return
      use = read.use
      readAt = read.readAt
    },
  }
}

function movingAverage(averageMs: number, latestMs: number): number {
  return averageMs + (Math.min(Math.max(0, latestMs), MAX_LEARNED_MS) - averageMs) * LATEST_WEIGHT
}
