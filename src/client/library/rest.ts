import type { Stopwatch } from './stopwatch.ts'

/** Some time in which something is left alone. */
export interface Rest {
  /** In milliseconds; 0 once it is over. */
  leftMs(): number
  isOver(): boolean
}

/** Returns a rest that begins now. */
export function createRest(restMs: number, startStopwatch: () => Stopwatch): Rest {
  const ageMs = startStopwatch()
  const leftMs = () => Math.max(0, restMs - ageMs())
  return { leftMs, isOver: () => leftMs() === 0 }
}
