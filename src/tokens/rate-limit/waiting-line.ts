import type { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { createFairOrder } from './fair-order.ts'
import type { ReservationRequest } from './reservation.ts'
import type { SlotPool } from './slot-pool.ts'
import { type SlotClaim, WEIGHT } from './slot-share.ts'

/** How far off another slot may be for a caller that has waited for one already. */
export const MISSED_WAIT_MS = 1000
/** A waiter is this far behind its latest slot only if the clock has been corrected. */
const MAX_OVERDUE_MS = 30_000

/** A caller that waits for a slot. */
export interface Waiter
  extends SlotClaim,
    Omit<ReservationRequest, 'owner' | 'perSecond' | 'resource' | 'waitMs'> {
  readonly joinedAt: number
  weight: number
  /** When it begins to get ready (ms). */
  prepareAt: number
  /** How long it took to get ready (ms); 0 until it is. */
  preparationMs: number
  /** The latest slot of use to the caller (ms). */
  notAfter: number
  /** Whether it wants a slot now; before that it only has its place. */
  isReserving: boolean
  /** Whether a slot of the pool was reserved for it; it may get another. */
  hasSlot: boolean
  /** Why the caller gets no slot. */
  failure?: JetonError
  /** Set once the caller is ready and waits for its slot. */
  pending?: { resolve(slot: number): void; reject(cause: unknown): void }
}

/**
 * Who waits for the slots of a pool. No slot is bound to a caller: when one has come, it goes to the first in the fair order
 * that is ready, unless another would come too late then. So nobody loses by being slow at STS, and no slot is wasted.
 */
export interface WaitingLine {
  readonly size: number
  /** Whether a caller can be added for a slot until `notAfter` (ms) so that it comes in time and makes nobody late. */
  hasTimeFor(notAfter: number): boolean
  add(waiter: Waiter): void
  remove(waiter: Waiter): void
  /** Returns those for whom no slot is reserved yet, in fair order. */
  withoutSlot(): Waiter[]
  /** Returns all, those first whose latest slot of use comes first. */
  all(): readonly Waiter[]
  /** Takes note of slots that were missed or are to spare, and of a corrected clock. */
  refresh(): void
  /** Gives the waiter until then (ms) at least. */
  extend(waiter: Waiter, notAfter: number): void
  /** Whether anybody is ready. */
  hasReady(): boolean
  /** Removes the waiter that gets the slot that has come, and returns it; undefined if nobody is ready. */
  takeNext(): Waiter | undefined
  /** Removes and returns those whose slot comes too late for them. */
  takeLate(): Waiter[]
  /** Removes and returns those that can do without a slot if the next one comes too late for them. */
  takeOverdue(): Waiter[]
  /** Returns the slot (ms) that a waiter can expect. */
  expectedSlot(waiter: Waiter): number
}

/** Returns a line in which nobody waits. */
export function createWaitingLine({ pool, clock }: { pool: SlotPool; clock: Clock }): WaitingLine {
  /** By `notAfter`: in this order all are in time if they are in any. */
  let waiters: Waiter[] = []
  const fairOrder = createFairOrder()

  /** Whether one of these waiters is late with one more before it, and is not late now. */
  function wouldMakeLate(from: number, to: number): boolean {
    return waiters.slice(from, to).some(({ notAfter, isOptional }, i) => {
      const isInTime = pool.expectedSlot(from + i) <= notAfter
      return !isOptional && isInTime && pool.expectedSlot(from + i + 1) > notAfter
    })
  }

  function take(isTaken: (waiter: Waiter) => boolean): Waiter[] {
    const taken = waiters.filter(isTaken)
    if (taken.length > 0) waiters = waiters.filter(waiter => !taken.includes(waiter))
    return taken
  }

  const placeFor = (notAfter: number) => {
    const index = waiters.findIndex(waiter => waiter.notAfter > notAfter)
    return index < 0 ? waiters.length : index
  }

  function add(waiter: Waiter): void {
    waiters.splice(placeFor(waiter.notAfter), 0, waiter)
  }

  function remove(waiter: Waiter): void {
    waiters = waiters.filter(other => other !== waiter)
  }

  function extend(waiter: Waiter, notAfter: number): void {
    if (waiter.notAfter >= notAfter) return
    waiter.notAfter = notAfter
    remove(waiter)
    add(waiter)
  }

  /** A slot was missed if nobody was ready. Whoever got ready for it takes another, and has waited once already. */
  function noteMissed(): void {
    const withSlot = waiters.filter(({ hasSlot }) => hasSlot)
    const missed = withSlot.length - pool.size
    if (missed <= 0) return
    const byReadiness = withSlot.toSorted((a, b) => Number(!!a.pending) - Number(!!b.pending))
    for (const waiter of byReadiness.slice(0, missed)) {
      waiter.hasSlot = false
      waiter.weight = WEIGHT.missed
    }
  }

  /** The slot of a caller that gave up is reserved all the same: it goes to whoever waits. */
  function useSpare(): void {
    const spare = pool.size - waiters.filter(({ hasSlot }) => hasSlot).length
    if (spare > 0) for (const waiter of withoutSlot().slice(0, spare)) waiter.hasSlot = true
  }

  function withoutSlot(): Waiter[] {
    return fairOrder.sort(waiters.filter(({ hasSlot }) => !hasSlot))
  }

  return {
    get size() {
      return waiters.length
    },
    hasTimeFor(notAfter) {
      const place = placeFor(notAfter)
      return pool.expectedSlot(place) <= notAfter && !wouldMakeLate(place, waiters.length)
    },
    add,
    remove,
    withoutSlot,
    all: () => waiters,
    refresh() {
      const now = clock.now()
      const overdue = waiters.filter(({ notAfter }) => now > notAfter + MAX_OVERDUE_MS)
      for (const waiter of overdue) extend(waiter, now + MISSED_WAIT_MS)
      noteMissed()
      useSpare()
    },
    extend,
    hasReady: () => waiters.some(({ pending }) => pending),
    takeNext() {
      const ready = waiters.filter(({ pending }) => pending)
      const [fair] = fairOrder.sort(ready)
      const next = fair && wouldMakeLate(0, waiters.indexOf(fair)) ? ready[0] : fair
      if (!next) return undefined
      remove(next)
      fairOrder.onServed(next.owner)
      return next
    },
    takeLate() {
      let rank = 0
      return take(({ notAfter }) => {
        const isLate = pool.expectedSlot(rank) > notAfter
        if (!isLate) rank++
        return isLate
      })
    },
    takeOverdue() {
      const next = pool.expectedSlot(0)
      return take(({ isOptional, notAfter }) => isOptional === true && next > notAfter)
    },
    expectedSlot: waiter => pool.expectedSlot(fairOrder.sort(waiters).indexOf(waiter)),
  }
}
