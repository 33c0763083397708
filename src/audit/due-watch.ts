import type { Clock } from '../lib/clock.ts'

export interface DueWatchParts {
  clock: Pick<Clock, 'now' | 'sleepUntil'>
  /** Returns when the first of what is watched is due; undefined if nothing is. */
  nextDueAt(): number | undefined
  onDue(now: number): void
}

/** One timer for all that wait. */
export interface DueWatch {
  /** Call when something is to be watched; does nothing while something is. */
  start(): void
  /** For ever. */
  stop(): void
}

/** Returns a watch that sleeps until the first is due, calls `onDue`, and ends when nothing waits, until it is started again. */
export function createDueWatch({ clock, nextDueAt, onDue }: DueWatchParts): DueWatch {
  const stopped = new AbortController()
  let isWatching = false

  async function watch(): Promise<void> {
    try {
      for (let dueAt = nextDueAt(); dueAt !== undefined; dueAt = nextDueAt()) {
        await clock.sleepUntil(dueAt, stopped.signal)
        onDue(clock.now())
      }
    } catch {
      // stopped: nobody waits any more
    } finally {
      isWatching = false
    }
  }

  return {
    start() {
      if (isWatching) return
      isWatching = true
      void watch()
    },
    stop: () => stopped.abort(),
  }
}
