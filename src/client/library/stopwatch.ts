import type { Clock } from '../../lib/clock.ts'

/** Returns how many milliseconds have passed since it was started. */
export type Stopwatch = () => number

export interface Clocks {
  /** The machine's clock, which may be put forward or back, and counts while the machine sleeps. */
  wall: Pick<Clock, 'now'>
  /** The time that passes, which nobody sets, and which stands still while the machine sleeps. */
  monotonic: Pick<Clock, 'now'>
}

/**
 * Returns a function that starts a stopwatch. Of two clocks that disagree it believes the one that is further on: a token must
 * not be thought fresh because the clock was put back, or because a laptop or a function was frozen meanwhile. What the clock
 * says the time is does not matter.
 */
export function createStopwatches({ wall, monotonic }: Clocks): () => Stopwatch {
  return () => {
    const start = { wall: wall.now(), monotonic: monotonic.now() }
    return () => Math.max(wall.now() - start.wall, monotonic.now() - start.monotonic)
  }
}
