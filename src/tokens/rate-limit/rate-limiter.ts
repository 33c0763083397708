import type { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'
import { createSlotQueue, MAX_DELIVERY_DELAY_MS, type SlotQueue } from './slot-queue.ts'

export interface ReservationRequest {
  /** What RDS throttles by. */
  resource: string
  /** Tokens handed out for the first time in a second, over all instances. */
  perSecond: number
  /** How long the turn may be off. */
  waitMs: number
  /** Set for those who have a token in use: they go before those who have none yet, so that no caller starves the rest. */
  hasPriority: boolean
  /** Set for those who have all that they need to use a turn at once. */
  isReady?: boolean
  /** Set for those who go on without, and will not come back for a turn that is kept for them. */
  isOptional?: boolean
}

/** A place in the queue for a turn. */
export interface Reservation {
  /**
   * Resolves with the time of the turn (ms) when it has come, or so much earlier as what lies between signature and
   * hand-out has taken lately.
   */
  slot(): Promise<number>
  /** Gives the place up; its turn goes to whoever is next. Harmless after the turn. */
  cancel(): void
  /** To be told how long (ms) it was from the turn's resolving until the token might have left. */
  reportDeliveryDelay(tookMs: number): void
}

export interface RateLimiter {
  /** Joins the queue, or throws `throttled` with the time to come back where no turn is near enough. */
  reserve(wanted: ReservationRequest): Promise<Reservation>
  /** What `join` would throw, where that is certain without asking the store. */
  refusal(wanted: ReservationRequest): JetonError | undefined
  /** Whether a hand-out now, at the turn or after it, still counts as of that turn. */
  isOnTime(turn: number): boolean
}

/**
 * Hands out turns for new tokens, evenly spaced, from the record that all instances share (`takeTurns`). The turns taken
 * are this instance's; which of its waiters gets one is decided when it has come: those ahead first, then first come first
 * served, passing over whoever is not ready to use it yet.
 */
export function createRateLimiter(parts: { store: Store; clock: Clock }): RateLimiter {
  const queues = new Map<string, SlotQueue>()

  function queueOf({ resource }: ReservationRequest): SlotQueue {
    const queue = queues.get(resource) ?? createSlotQueue(parts, resource)
    queues.set(resource, queue)
    return queue
  }

  return {
    reserve: wanted => queueOf(wanted).reserve(wanted),
    refusal: wanted => queueOf(wanted).refusal(wanted),
    isOnTime: turn => parts.clock.now() - turn <= MAX_DELIVERY_DELAY_MS,
  }
}
