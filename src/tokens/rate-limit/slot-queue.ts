import { asJetonError, JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { singleFlight } from '../../lib/single-flight.ts'
import type { Reservation, ReservationRequest } from './reservation.ts'
import type { SlotPool } from './slot-pool.ts'
import { isPlausible } from './slots.ts'

/** How far off another slot may be for a caller that has waited for one already. */
const MISSED_WAIT_MS = 1000
/** How long to sleep before reading the clock again: it may have been corrected meanwhile. */
const MAX_SLEEP_MS = 1000
/** `Retry-After` is spread over the callers that this instance refuses, but not beyond this. */
const MAX_PROMISE_AHEAD_MS = 60_000

/** The callers that wait for slots, in the order in which they get them. */
export interface SlotQueue {
  /**
   * Joins the queue for a slot. Throws `throttled`, with the time to come back, if no slot is near enough, and
   * `temporarily_unavailable` if the store cannot be reached.
   */
  reserve(request: ReservationRequest): Promise<Reservation>
  /** Returns what `reserve` would throw, if that is certain without reading the store. */
  refusal(request: ReservationRequest): JetonError | undefined
}

export interface SlotQueueParts {
  pool: SlotPool
  clock: Clock
  /** Named in error texts. */
  resource: string
}

interface Waiter extends Pick<ReservationRequest, 'hasPriority' | 'isOptional' | 'isReady'> {
  readonly joinedAt: number
  /** The latest slot of use to the caller (ms). */
  notAfter: number
  /** Why the caller gets no slot. */
  failure?: JetonError
  /** Set once the caller is ready and waits for its slot. */
  pending?: { resolve(slot: number): void; reject(cause: unknown): void }
}

/** Returns the queue of this instance's callers for slots of one resource. */
export function createSlotQueue({ pool, clock, resource }: SlotQueueParts): SlotQueue {
  /** Those with priority first, then by arrival. */
  let waiters: Waiter[] = []
  /** The slot (ms) that the last refused caller was promised. */
  let lastPromised = 0
  let isServing = false

  /** Drops missed slots, and moves deadlines that a corrected clock has left far behind. */
  function refresh(): void {
    pool.dropMissed()
    const now = clock.now()
    for (const waiter of waiters)
      if (!isPlausible(now, waiter.notAfter)) waiter.notAfter = now + MISSED_WAIT_MS
  }

  /** Returns how many callers get a slot before this one; undefined if its slot is certainly too far off. */
  function rankOf({ hasPriority, waitMs, perSecond }: ReservationRequest): number | undefined {
    pool.setRate(perSecond)
    refresh()
    const rank = hasPriority ? waiters.filter(waiter => waiter.hasPriority).length : waiters.length
    return pool.expectedSlot(rank) > clock.now() + waitMs ? undefined : rank
  }

  /** Returns the refusal of a caller, with a slot of its own to come back for if it will come back. */
  function throttled({ isOptional }: Pick<ReservationRequest, 'isOptional'>): JetonError {
    const now = clock.now()
    const earliest = pool.expectedSlot(waiters.length)
    const next = lastPromised + pool.spacingMs
    const promised = next < earliest || next > now + MAX_PROMISE_AHEAD_MS ? earliest : next
    if (!isOptional) lastPromised = promised
    return new JetonError('throttled', {
      publicMessage: 'too many new tokens for this database at once; try again',
      reason: `every slot for a new token of ${resource} within the allowed wait is taken; limits.newTokensPerSecond sets their rate`,
      // `Retry-After` has whole seconds: a caller that comes back at the beginning of one finds its slot within it
      retryAfterMs: Math.max(1000, Math.floor((promised - now) / 1000) * 1000),
    })
  }

  function fail(waiter: Waiter, failure: JetonError): void {
    waiter.failure = failure
    waiter.pending?.reject(failure)
  }

  /** Refuses callers whose expected slot is too far off for them. */
  function refuseLate(): void {
    const before = waiters
    waiters = []
    for (const waiter of before)
      if (pool.expectedSlot(waiters.length) <= waiter.notAfter) waiters.push(waiter)
      else fail(waiter, throttled(waiter))
  }

  const readyAt = ({ pending, isReady, joinedAt, notAfter }: Waiter) =>
    pending || isReady ? clock.now() : Math.min(joinedAt + pool.preparationMs, notAfter)

  /** Reserves slots until each caller has one or is refused. */
  async function fillPool(): Promise<void> {
    for (;;) {
      refresh()
      const count = waiters.length - pool.size
      if (count <= 0) return
      try {
        const notBefore = Math.min(...waiters.map(readyAt))
        const notAfter = Math.max(...waiters.map(waiter => waiter.notAfter))
        await pool.fill({ count, notBefore, notAfter })
        refuseLate()
      } catch (cause) {
        const failure = asJetonError(cause)
        for (const waiter of waiters.splice(pool.size)) fail(waiter, failure)
      }
    }
  }

  const ensureSlots = singleFlight(fillPool)

  /** Gives each slot, when it has come, to the first caller that is ready for it. */
  async function serve(): Promise<void> {
    if (isServing) return
    isServing = true
    for (;;) {
      const ready = waiters.find(waiter => waiter.pending)
      if (!ready) break
      refresh()
      const next = pool.next()
      if (!next) await ensureSlots()
      else if (next.from > clock.now())
        await clock.sleepUntil(Math.min(next.from, clock.now() + MAX_SLEEP_MS))
      else {
        pool.takeNext()
        remove(ready)
        ready.pending?.resolve(next.slot)
      }
    }
    isServing = false
  }

  function remove(waiter: Waiter): void {
    waiters = waiters.filter(other => other !== waiter)
  }

  function slotFor(waiter: Waiter): Promise<number> {
    return new Promise((resolve, reject) => {
      if (waiter.failure) return reject(waiter.failure)
      if (!waiter.isReady) pool.reportPreparation(clock.now() - waiter.joinedAt)
      waiter.pending = { resolve, reject }
      // its slot may have passed while it got ready, or the clock may have been corrected
      waiter.notAfter = Math.max(waiter.notAfter, clock.now() + MISSED_WAIT_MS)
      void serve()
    })
  }

  return {
    async reserve(request) {
      const rank = rankOf(request)
      if (rank === undefined) throw throttled(request)
      const { hasPriority, isOptional = false, isReady = false, waitMs } = request
      const joinedAt = clock.now()
      const waiter: Waiter = { hasPriority, isOptional, isReady, joinedAt, notAfter: joinedAt + waitMs }
      waiters.splice(rank, 0, waiter)
      await ensureSlots()
      if (waiter.failure) throw waiter.failure
      return {
        slot: () => slotFor(waiter),
        cancel: () => remove(waiter),
        reportDeliveryDelay: pool.reportDeliveryDelay,
      }
    },
    refusal: request => (rankOf(request) === undefined ? throttled(request) : undefined),
  }
}
