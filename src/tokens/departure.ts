import type { Clock } from '../clock.ts'
import type { Pace, Place } from './pace.ts'

/** How a token leaves for the first time: at its turn, and no later. */
export interface Departure {
  /** Resolves when the token may leave. To be awaited just before it does, by everyone who hands it out. */
  leave(): Promise<void>
  /** To be told where the token does not leave now: others need not wait for it. */
  stay(): void
}

export interface DepartureParts {
  pace: Pick<Pace, 'onTime'>
  place: Pick<Place, 'noteLeft'>
  clock: Clock
  /** The turn that the token was signed for, and when that was (ms). */
  turn: number
  signedAt: number
  /** Waits for another turn; before all who have none yet. */
  anotherTurn(): Promise<void>
  /** Told once, in the moment in which the token leaves for the first time. */
  onLeft(): void
  /** Told once, where the token was to leave and did not. */
  onAbandoned(): void
}

/**
 * What RDS counts is the first login with a token, and that follows its hand-out, not its signature. Between the two lies
 * the audit log, which may hang for 2 s and then let everything go at once: who missed the turn takes another. Once a
 * token has left, it leaves again freely.
 */
export function createDeparture(parts: DepartureParts): Departure {
  const { pace, place, clock, turn, signedAt, anotherTurn, onLeft, onAbandoned } = parts
  let hasLeft = false
  let isAbandoned = false
  let leaving: Promise<void> | undefined

  async function leaveFirst() {
    place.noteLeft(clock.now() - signedAt)
    await clock.sleepUntil(turn)
    if (!pace.onTime(turn)) await anotherTurn()
    hasLeft = true
    onLeft()
  }

  return {
    async leave() {
      if (hasLeft) return
      leaving ??= leaveFirst().finally(() => {
        leaving = undefined
      })
      await leaving
    },
    stay() {
      if (hasLeft || leaving || isAbandoned) return
      isAbandoned = true
      onAbandoned()
    },
  }
}

/** Of a token that has left already, from another instance. */
export const LEFT: Departure = { leave: async () => {}, stay() {} }
