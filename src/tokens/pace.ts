import type { Clock } from '../clock.ts'
import { asJetonError, JetonError } from '../errors.ts'
import type { Shelf } from '../shelf/shelf.ts'
import { isPlausible, takeTurns } from './turns.ts'

/**
 * A second's turns are spread over this much, so that a hand-out up to `LATE_MS` after its turn cannot put one more into
 * any second: 4% of the rate buys the room that fsync and the event loop need.
 */
const SPREAD_MS = 1040
/** A turn not used by then is missed, and another must be taken. */
const LATE_MS = SPREAD_MS - 1000
/** How far off another turn may be for who has waited for one already. */
const MISSED_WAIT_MS = 1000
/** How long to sleep before looking at the clock again: it may have been corrected meanwhile. */
const LONGEST_SLEEP_MS = 1000
/** `Retry-After` is spread over those refused, but no further than this. */
const FURTHEST_PROMISE_MS = 60_000

export interface PlaceWanted {
  /** What RDS throttles by. */
  resource: string
  /** Tokens handed out for the first time in a second, over all instances. */
  perSecond: number
  /** How long the turn may be off. */
  waitMs: number
  /** Set for those who have a token in use: they go before those who have none yet, so that no caller starves the rest. */
  ahead: boolean
}

/** A place in the queue for a turn. */
export interface Place {
  /** Resolves when the turn has come, with its time (ms). Taken at once or not at all: `onTime` tells. */
  turn(): Promise<number>
  /** Gives the place up; its turn goes to whoever is next. Harmless after the turn. */
  leave(): void
}

export interface Pace {
  /** Joins the queue, or throws `throttled` with the time to come back where no turn is near enough. */
  join(wanted: PlaceWanted): Promise<Place>
  /** What `join` would throw, where that is certain without asking the shelf. */
  refusal(wanted: PlaceWanted): JetonError | undefined
  /** Whether a hand-out now still counts as of that turn. */
  onTime(turn: number): boolean
}

type Queue = Pick<Pace, 'join' | 'refusal'>

interface Waiter {
  readonly ahead: boolean
  /** When its turn would be too late. */
  notAfter: number
  refused?: JetonError
  /** Set from `turn()` on. */
  called?: { resolve(turn: number): void; reject(cause: unknown): void }
}

/**
 * Hands out turns for new tokens, evenly spaced, from the record that all instances share (`takeTurns`). The turns taken
 * are this instance's; which of its waiters gets one is decided when it has come: those ahead first, then first come first
 * served, passing over whoever is not ready to use it yet.
 */
export function createPace(parts: { shelf: Shelf; clock: Clock }): Pace {
  const queues = new Map<string, Queue>()

  function queueOf({ resource }: PlaceWanted): Queue {
    const queue = queues.get(resource) ?? createQueue(parts, resource)
    queues.set(resource, queue)
    return queue
  }

  return {
    join: wanted => queueOf(wanted).join(wanted),
    refusal: wanted => queueOf(wanted).refusal(wanted),
    onTime: turn => parts.clock.now() - turn <= LATE_MS,
  }
}

function createQueue(parts: { shelf: Shelf; clock: Clock }, resource: string): Queue {
  const { clock } = parts
  /** Turns of this instance that nobody has got yet, soonest first. */
  let turns: number[] = []
  /** Those ahead first, then by arrival. */
  let waiters: Waiter[] = []
  let spacingMs = 0
  let nextFree = 0
  let promised = 0
  let taking: Promise<void> | undefined
  let serving = false

  /** Also what a clock that was wrong has put minutes ahead. */
  function forgetMissed() {
    const now = clock.now()
    turns = turns.filter(turn => turn >= now - LATE_MS && isPlausible(turn, now))
    if (!isPlausible(nextFree, now)) nextFree = now
  }

  /** The turn that a newcomer with `rank` waiters before it would get, as far as is known without asking the shelf. */
  function expectedTurn(rank: number): number {
    return turns[rank] ?? Math.max(nextFree, clock.now()) + (rank - turns.length) * spacingMs
  }

  function refuse(): JetonError {
    const now = clock.now()
    const earliest = expectedTurn(waiters.length)
    const next = promised + spacingMs
    promised = next < earliest || next > now + FURTHEST_PROMISE_MS ? earliest : next
    return new JetonError('throttled', {
      publicMessage: 'too many new tokens for this database at once; try again',
      reason: `no turn for a new token of ${resource} is near enough`,
      retryAfterMs: promised - now,
    })
  }

  function refuseWithoutTurn(refuse: () => JetonError) {
    for (const waiter of waiters.splice(turns.length)) {
      waiter.refused = refuse()
      waiter.called?.reject(waiter.refused)
    }
  }

  /** Takes turns until each waiter has one. Where they lie too far off, the last in the queue are refused. */
  async function takeForAll() {
    for (;;) {
      forgetMissed()
      const count = waiters.length - turns.length
      if (count <= 0) return
      const notAfter = Math.max(...waiters.map(waiter => waiter.notAfter))
      try {
        const taken = await takeTurns(parts, { resource, count, notAfter, spacingMs })
        nextFree = taken.nextFree
        turns.push(...taken.turns)
        if (taken.turns.length < count) refuseWithoutTurn(refuse)
      } catch (cause) {
        const failure = asJetonError(cause)
        refuseWithoutTurn(() => failure)
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
      if (turn === undefined) await cover()
      else if (turn > clock.now()) await clock.sleepUntil(Math.min(turn, clock.now() + LONGEST_SLEEP_MS))
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
  function rankOf({ ahead, waitMs, perSecond }: PlaceWanted): number | undefined {
    spacingMs = SPREAD_MS / perSecond
    forgetMissed()
    const before = ahead ? waiters.filter(waiter => waiter.ahead).length : waiters.length
    return expectedTurn(before) > clock.now() + waitMs ? undefined : before
  }

  async function join(wanted: PlaceWanted): Promise<Place> {
    const before = rankOf(wanted)
    if (before === undefined) throw refuse()
    const { ahead, waitMs } = wanted
    const waiter: Waiter = { ahead, notAfter: clock.now() + waitMs }
    waiters.splice(before, 0, waiter)
    await cover()
    if (waiter.refused) throw waiter.refused
    return {
      turn: () =>
        new Promise((resolve, reject) => {
          if (waiter.refused) return reject(waiter.refused)
          waiter.called = { resolve, reject }
          // its turn may have gone by while it got ready, or the clock been corrected
          waiter.notAfter = Math.max(waiter.notAfter, clock.now() + MISSED_WAIT_MS)
          void serve()
        }),
      leave: () => leave(waiter),
    }
  }

  return { join, refusal: wanted => (rankOf(wanted) === undefined ? refuse() : undefined) }
}
