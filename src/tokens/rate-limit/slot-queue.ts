import { asJetonError, type JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { groupBy } from '../../lib/maps.ts'
import { singleFlight } from '../../lib/single-flight.ts'
import { createAdmission } from './admission.ts'
import type { QueuePlace, Reservation, ReservationRequest } from './reservation.ts'
import type { SlotPool } from './slot-pool.ts'
import type { Shortage, SlotClaim } from './slot-share.ts'
import { createWaitingLine, MISSED_WAIT_MS, type Waiter } from './waiting-line.ts'

/** How long to sleep before reading the clock again: it may have been corrected meanwhile. */
const MAX_SLEEP_MS = 1000
/** How long before its slot a caller begins to get ready, and more if that lately took long. */
const PREPARATION_MS = 1000

/** The callers that wait for slots. */
export interface SlotQueue {
  /** Joins the queue for a slot. Throws the refusal of the caller if that is certain without reading the store. */
  join(request: ReservationRequest): QueuePlace
  /** Returns what `join` would throw. */
  refusal(request: ReservationRequest): JetonError | undefined
}

/** A queue that shows who waits. */
export interface ReadableSlotQueue extends SlotQueue {
  /** Returns how many callers of each grant, as in `SlotOwner`, wait for a slot, and not for their role session. */
  waiting(): ReadonlyMap<string, number>
}

export interface SlotQueueParts {
  pool: SlotPool
  clock: Clock
  /** Named in error texts. */
  resource: string
  /** Called for each slot that a caller gets, with how long it waited (ms), the time for its role session left out. */
  onSlotGiven?: ((waitedMs: number) => void) | undefined
}

/** Returns the queue of this instance's callers for slots of one resource. */
export function createSlotQueue({ pool, clock, resource, onSlotGiven }: SlotQueueParts): ReadableSlotQueue {
  const line = createWaitingLine({ pool, clock })
  const admission = createAdmission({ pool, clock, resource })
  let isServing = false

  function refresh(): void {
    pool.dropMissed()
    line.refresh()
  }

  /** Returns what certainly keeps a caller from a slot, as far as is known without reading the store. */
  function shortageOf(claim: SlotClaim, { perSecond, waitMs }: ReservationRequest): Shortage | undefined {
    pool.setRate(perSecond)
    refresh()
    const hasSpare = pool.size > line.size
    const shortage = hasSpare ? undefined : pool.shortageOf(claim, line.withoutSlot())
    return shortage ?? (line.hasTimeFor(clock.now() + waitMs) ? undefined : 'slots')
  }

  function fail(waiter: Waiter, failure: JetonError): void {
    waiter.failure = failure
    waiter.pending?.reject(failure)
  }

  function refuse(waiter: Waiter, shortage: Shortage): void {
    fail(waiter, admission.refuse(waiter, shortage))
  }

  const readyAt = ({ pending, isReady, joinedAt, notAfter }: Waiter) =>
    pending || isReady ? clock.now() : Math.min(joinedAt + pool.preparationMs, notAfter)

  /** Reserves slots until each caller has one or is refused. */
  async function fillPool(): Promise<void> {
    for (;;) {
      refresh()
      const claims = line.withoutSlot().filter(({ isReserving }) => isReserving)
      if (claims.length === 0) return
      try {
        const notBefore = Math.min(...line.all().map(readyAt))
        const notAfter = Math.max(...line.all().map(waiter => waiter.notAfter))
        const refused = await pool.fill({ claims, notBefore, notAfter })
        for (const waiter of claims) waiter.hasSlot = !refused.has(waiter)
        for (const [waiter, shortage] of refused) {
          line.remove(waiter)
          refuse(waiter, shortage)
        }
        for (const waiter of line.takeLate()) refuse(waiter, 'slots')
      } catch (cause) {
        const failure = asJetonError(cause)
        for (const waiter of line.withoutSlot().filter(({ isReserving }) => isReserving)) {
          line.remove(waiter)
          fail(waiter, failure)
        }
      }
    }
  }

  const ensureSlots = singleFlight(fillPool)

  /** Gives each slot, when it has come, to the caller that is next. */
  async function serve(): Promise<void> {
    if (isServing) return
    isServing = true
    while (line.hasReady()) {
      refresh()
      const next = pool.next()
      if (!next) await ensureSlots()
      else if (next.from > clock.now()) await clock.sleep(Math.min(next.from - clock.now(), MAX_SLEEP_MS))
      else {
        for (const waiter of line.takeOverdue()) refuse(waiter, 'slots')
        giveSlot(next.slot)
      }
    }
    isServing = false
  }

  function giveSlot(slot: number): void {
    const waiter = line.takeNext()
    if (!waiter) return
    pool.takeNext()
    admission.onServed(waiter)
    waiter.pending?.resolve(slot)
    onSlotGiven?.(Math.max(0, clock.now() - waiter.joinedAt - waiter.preparationMs))
  }

  function slotFor(waiter: Waiter): Promise<number> {
    return new Promise((resolve, reject) => {
      if (waiter.failure) return reject(waiter.failure)
      if (!waiter.isReady) {
        waiter.preparationMs = Math.max(0, clock.now() - waiter.prepareAt)
        pool.reportPreparation(waiter.preparationMs)
      }
      waiter.pending = { resolve, reject }
      // its slot may have passed while it got ready, or the clock may have been corrected
      line.extend(waiter, clock.now() + MISSED_WAIT_MS)
      void serve()
    })
  }

  function refusal(request: ReservationRequest, claim = admission.claimOf(request)): JetonError | undefined {
    const shortage = shortageOf(claim, request)
    return shortage && admission.refuse({ ...request, ...claim }, shortage)
  }

  async function reserveFor(waiter: Waiter): Promise<Reservation> {
    waiter.isReserving = true
    if (!waiter.failure) await ensureSlots()
    if (waiter.failure) throw waiter.failure
    const leadMs = PREPARATION_MS + pool.preparationMs
    waiter.prepareAt = Math.max(clock.now(), line.expectedSlot(waiter) - leadMs)
    return {
      prepareAt: waiter.prepareAt,
      slot: () => slotFor(waiter),
      reportDeliveryDelay: pool.reportDeliveryDelay,
    }
  }

  return {
    join(request) {
      const claim = admission.claimOf(request)
      const refused = refusal(request, claim)
      if (refused) throw refused
      const now = clock.now()
      const times = { joinedAt: now, prepareAt: now, preparationMs: 0, notAfter: now + request.waitMs }
      const waiter: Waiter = { ...request, ...claim, ...times, isReserving: false, hasSlot: false }
      line.add(waiter)
      return { reserve: () => reserveFor(waiter), leave: () => line.remove(waiter) }
    },
    refusal: request => refusal(request),
    waiting() {
      const now = clock.now()
      const isGettingReady = ({ hasSlot, pending, prepareAt }: Waiter) =>
        hasSlot && !pending && prepareAt <= now
      const waiters = line.all().filter(waiter => !isGettingReady(waiter))
      const groups = groupBy(waiters, ({ owner }) => owner.grant)
      return new Map([...groups].map(([grant, waiters]) => [grant, waiters.length]))
    },
  }
}
