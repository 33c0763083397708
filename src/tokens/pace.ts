import type { Clock } from '../clock.ts'
import type { JetonError } from '../errors.ts'
import type { Shelf } from '../shelf/shelf.ts'
import { createQueue, LATE_MS, type Queue } from './queue.ts'

export interface PlaceWanted {
  /** What RDS throttles by. */
  resource: string
  /** Tokens handed out for the first time in a second, over all instances. */
  perSecond: number
  /** How long the turn may be off. */
  waitMs: number
  /** Set for those who have a token in use: they go before those who have none yet, so that no caller starves the rest. */
  ahead: boolean
  /** Set for those who have all that they need to use a turn at once. */
  isReady?: boolean
  /** Set for those who go on without, and will not come back for a turn that is kept for them. */
  isOptional?: boolean
}

/** A place in the queue for a turn. */
export interface Place {
  /**
   * Resolves with the time of the turn (ms) when it has come, or so much earlier as what lies between signature and
   * hand-out has taken lately.
   */
  turn(): Promise<number>
  /** Gives the place up; its turn goes to whoever is next. Harmless after the turn. */
  leave(): void
  /** To be told how long (ms) it was from the turn's resolving until the token might have left. */
  noteLeft(tookMs: number): void
}

export interface Pace {
  /** Joins the queue, or throws `throttled` with the time to come back where no turn is near enough. */
  join(wanted: PlaceWanted): Promise<Place>
  /** What `join` would throw, where that is certain without asking the shelf. */
  refusal(wanted: PlaceWanted): JetonError | undefined
  /** Whether a hand-out now, at the turn or after it, still counts as of that turn. */
  onTime(turn: number): boolean
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
