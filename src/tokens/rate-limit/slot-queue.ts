import { asJetonError, JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'
import type { RateLimiter, Reservation, ReservationRequest } from './rate-limiter.ts'
import { isPlausible, reserveSlots, type SlotsReserved } from './slots.ts'

/**
 * A second's turns are spread over this much, so that a hand-out up to `LATE_MS` after its turn cannot put one more into
 * any second: 4% of the rate buys the room that fsync and the event loop need.
 */
const SPREAD_MS = 1040
/** A turn not used by then is missed, and another must be taken. */
export const MAX_DELIVERY_DELAY_MS = SPREAD_MS - 1000
/** How far off another turn may be for who has waited for one already. */
const MISSED_WAIT_MS = 1000
/** How long to sleep before looking at the clock again: it may have been corrected meanwhile. */
const LONGEST_SLEEP_MS = 1000
/** What took longer is no measure for the next, and how much each one counts. */
const LONGEST_LEARNED_MS = 1000
const WEIGHT = 0.2
/** So much later than its turn a token may well leave. */
const NOT_LATE_MS = 10
/** `Retry-After` is spread over those that this instance refuses, but no further than this. */
const FURTHEST_PROMISE_MS = 60_000

export type SlotQueue = Pick<RateLimiter, 'reserve' | 'refusal'>

interface Waiter extends Pick<ReservationRequest, 'hasPriority' | 'isOptional' | 'isReady'> {
  readonly joinedAt: number
  /** When its turn would be too late. */
  notAfter: number
  refused?: JetonError
  /** Set from `turn()` on. */
  called?: { resolve(turn: number): void; reject(cause: unknown): void }
}

/** The queue for the turns of one resource, in this instance. */
export function createSlotQueue(parts: { store: Store; clock: Clock }, resource: string): SlotQueue {
  const { clock } = parts
  /** Turns of this instance that nobody has got yet, soonest first. */
  let turns: number[] = []
  /** Those with priority first, then by arrival. */
  let waiters: Waiter[] = []
  let spacingMs = 0
  let nextFree = 0
  let promised = 0
  /** How long those who join are at getting ready to use a turn, lately: STS, mostly. */
  let readyMs = 0
  /** How long it is from the signature to the hand-out, lately: the audit log, mostly. */
  let leavingMs = 0
  /** How long the last write to the store took. */
  let writeMs = 0
  /** The end of the turns that this instance took last, and from when on they went by unused. */
  let mineUntil = 0
  let unusedFrom = 0
  let taking: Promise<void> | undefined
  let serving = false

  /** Also what a clock that was wrong has put minutes ahead. */
  function forgetMissed() {
    const now = clock.now()
    const left = turns.filter(turn => turn >= now - MAX_DELIVERY_DELAY_MS && isPlausible(turn, now))
    if (left.length === 0) noteUnused(turns)
    turns = left
    if (!isPlausible(nextFree, now)) nextFree = now
    // nobody waits for so long past the time: the clock was put forward
    for (const waiter of waiters)
      if (!isPlausible(now, waiter.notAfter)) waiter.notAfter = now + MISSED_WAIT_MS
  }

  /** Those at the end of what was taken last can be given back: nobody has got one after them. */
  function noteUnused(missed: readonly number[]): void {
    for (const turn of missed.toReversed()) {
      if (Math.abs(turn - (unusedFrom - spacingMs)) > 1) return
      unusedFrom = turn
    }
  }

  /** The turn that a newcomer with `rank` waiters before it would get, as far as is known without asking the store. */
  function expectedTurn(rank: number): number {
    return turns[rank] ?? Math.max(nextFree, clock.now()) + (rank - turns.length) * spacingMs
  }

  const readyAt = ({ called, isReady, joinedAt, notAfter }: Waiter) =>
    called || isReady ? clock.now() : Math.min(joinedAt + readyMs, notAfter)

  function noteTaken({ slots, nextFree }: SlotsReserved): void {
    if (slots.length === 0) return
    mineUntil = nextFree
    unusedFrom = nextFree
  }

  function refusal({ isOptional }: Pick<ReservationRequest, 'isOptional'>): JetonError {
    const now = clock.now()
    const earliest = expectedTurn(waiters.length)
    const next = promised + spacingMs
    const promise = next < earliest || next > now + FURTHEST_PROMISE_MS ? earliest : next
    if (!isOptional) promised = promise
    return new JetonError('throttled', {
      publicMessage: 'too many new tokens for this database at once; try again',
      reason: `no turn for a new token of ${resource} is near enough`,
      // whole seconds, as HTTP has them: who comes back at the beginning of one finds its turn within it
      retryAfterMs: Math.max(1000, Math.floor((promise - now) / 1000) * 1000),
    })
  }

  function refuse(waiter: Waiter, cause: JetonError) {
    waiter.refused = cause
    waiter.called?.reject(cause)
  }

  /** Of those who wait for longer than they would, as things stand now. */
  function refuseTheLate() {
    const before = waiters
    waiters = []
    for (const waiter of before)
      if (expectedTurn(waiters.length) <= waiter.notAfter) waiters.push(waiter)
      else refuse(waiter, refusal(waiter))
  }

  /** Takes turns until each waiter has one. Those whose turn lies too far off are refused. */
  async function takeForAll() {
    for (;;) {
      forgetMissed()
      const count = waiters.length - turns.length
      if (count <= 0) return
      const notAfter = Math.max(...waiters.map(waiter => waiter.notAfter))
      try {
        const notBefore = Math.min(...waiters.map(readyAt))
        const own = { until: mineUntil, unusedFrom }
        const got = await reserveSlots(parts, {
          resource,
          count,
          notBefore,
          notAfter,
          spacingMs,
          writeMs,
          own,
        })
        writeMs = got.writeMs
        noteTaken(got)
        nextFree = got.nextFree
        turns.push(...got.slots)
        refuseTheLate()
      } catch (cause) {
        const failure = asJetonError(cause)
        for (const waiter of waiters.splice(turns.length)) refuse(waiter, failure)
      }
    }
  }

  function cover(): Promise<void> {
    taking ??= takeForAll().finally(() => {
      taking = undefined
    })
    return taking
  }

  /** Gives each turn, when it has come, to the first who is ready for it. */
  async function serve() {
    if (serving) return
    serving = true
    for (;;) {
      const ready = waiters.find(waiter => waiter.called)
      if (!ready) break
      forgetMissed()
      const [turn] = turns
      const at = (turn ?? 0) - Math.max(0, leavingMs - NOT_LATE_MS)
      if (turn === undefined) await cover()
      else if (at > clock.now()) await clock.sleepUntil(Math.min(at, clock.now() + LONGEST_SLEEP_MS))
      else {
        turns.shift()
        leave(ready)
        ready.called?.resolve(turn)
      }
    }
    serving = false
  }

  function leave(waiter: Waiter) {
    waiters = waiters.filter(other => other !== waiter)
  }

  /** How many stand before a newcomer; undefined where its turn is surely too far off. */
  function rankOf({ hasPriority, waitMs, perSecond }: ReservationRequest): number | undefined {
    spacingMs = SPREAD_MS / perSecond
    forgetMissed()
    const before = hasPriority ? waiters.filter(waiter => waiter.hasPriority).length : waiters.length
    return expectedTurn(before) > clock.now() + waitMs ? undefined : before
  }

  async function reserve(wanted: ReservationRequest): Promise<Reservation> {
    const before = rankOf(wanted)
    if (before === undefined) throw refusal(wanted)
    const { hasPriority, isOptional = false, isReady = false, waitMs } = wanted
    const joinedAt = clock.now()
    const waiter: Waiter = { hasPriority, isOptional, isReady, joinedAt, notAfter: joinedAt + waitMs }
    waiters.splice(before, 0, waiter)
    await cover()
    if (waiter.refused) throw waiter.refused
    return {
      slot: () =>
        new Promise((resolve, reject) => {
          if (waiter.refused) return reject(waiter.refused)
          if (!isReady) readyMs = learned(readyMs, clock.now() - joinedAt)
          waiter.called = { resolve, reject }
          // its turn may have gone by while it got ready, or the clock been corrected
          waiter.notAfter = Math.max(waiter.notAfter, clock.now() + MISSED_WAIT_MS)
          void serve()
        }),
      cancel: () => leave(waiter),
      reportDeliveryDelay(tookMs) {
        leavingMs = learned(leavingMs, tookMs)
      },
    }
  }

  return { reserve, refusal: wanted => (rankOf(wanted) === undefined ? refusal(wanted) : undefined) }
}

/** What is expected, after one more of it. */
function learned(known: number, latest: number): number {
  return known + (Math.min(Math.max(0, latest), LONGEST_LEARNED_MS) - known) * WEIGHT
}
