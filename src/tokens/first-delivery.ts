import type { Clock } from '../lib/clock.ts'
import type { RateLimiter, Reservation } from './rate-limit/rate-limiter.ts'

/** How a token leaves for the first time: at its turn, and no later. */
export interface FirstDelivery {
  /** Resolves when the token may leave. To be awaited just before it does, by everyone who hands it out. */
  deliver(): Promise<void>
  /** To be told where the token does not leave now: others need not wait for it. */
  cancel(): void
}

export interface FirstDeliveryParts {
  rateLimiter: Pick<RateLimiter, 'isOnTime'>
  place: Pick<Reservation, 'reportDeliveryDelay'>
  clock: Clock
  /** The turn that the token was signed for, and when that was (ms). */
  turn: number
  signedAt: number
  /** Waits for another turn; before all who have none yet. */
  anotherTurn(): Promise<void>
  /** Told once, in the moment in which the token leaves for the first time. */
  onDelivered(): void
  /** Told once, where the token was to leave and did not. */
  onCancelled(): void
}

/**
 * What RDS counts is the first login with a token, and that follows its hand-out, not its signature. Between the two lies
 * the audit log, which may hang for 2 s and then let everything go at once: who missed the turn takes another. Once a
 * token has left, it leaves again freely.
 */
export function createFirstDelivery(parts: FirstDeliveryParts): FirstDelivery {
  const { rateLimiter, place, clock, turn, signedAt, anotherTurn, onDelivered, onCancelled } = parts
  let hasLeft = false
  let isAbandoned = false
  let leaving: Promise<void> | undefined

  async function leaveFirst() {
    place.reportDeliveryDelay(clock.now() - signedAt)
    await clock.sleepUntil(turn)
    if (!rateLimiter.isOnTime(turn)) await anotherTurn()
    hasLeft = true
    onDelivered()
  }

  return {
    async deliver() {
      if (hasLeft) return
      leaving ??= leaveFirst().finally(() => {
        leaving = undefined
      })
      await leaving
    },
    cancel() {
      if (hasLeft || leaving || isAbandoned) return
      isAbandoned = true
      onCancelled()
    },
  }
}

/** Of a token that has left already, from another instance. */
export const ALREADY_DELIVERED: FirstDelivery = { deliver: async () => {}, cancel() {} }
