import type { Clock } from '../lib/clock.ts'

/** The longest that the first of a batch waits for others to come. */
const MAX_GATHER_MS = 2

export interface Gathering {
  clock: Pick<Clock, 'now'>
  /** Returns how many have come by now. */
  count(): number
  /** Calls back later, after what has arrived by then was taken in. Default: `setImmediate`. */
  defer?: (callback: () => void) => void
  onGathered(): void
}

/**
 * Calls `onGathered` after a turn of the event loop in which nobody new has come, or else after 2 ms; never before it returns.
 * Who is alone waits for two turns; those who come together, and those who were just answered and come again, share a batch.
 */
export function gather({ clock, count, defer = setImmediate, onGathered }: Gathering): void {
  const startedAt = clock.now()
  let counted = 0
  const look = () => {
    const present = count()
    if (present <= counted || clock.now() - startedAt >= MAX_GATHER_MS) return onGathered()
    counted = present
    defer(look)
  }
  defer(look)
}
