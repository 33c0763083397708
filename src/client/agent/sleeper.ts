import type { Clock } from '../../lib/clock.ts'

export interface Sleeper {
  /** Ends the sleep, or the next one if it is awake. */
  wake(): void
  /** Resolves after `ms`, when it is woken or when the signal aborts; with whether it was woken. */
  sleep(ms: number): Promise<boolean>
}

/** Returns what sleeps until somebody wakes it, and no more once the signal has aborted. */
export function createSleeper({
  clock,
  signal,
}: {
  clock: Pick<Clock, 'sleep'>
  signal: AbortSignal
}): Sleeper {
  let isWoken = false
  let sleeping = new AbortController()
  signal.addEventListener('abort', () => sleeping.abort())
  return {
    wake() {
      isWoken = true
      sleeping.abort()
    },
    async sleep(ms) {
      sleeping = new AbortController()
      if (!isWoken && !signal.aborted) await clock.sleep(ms, sleeping.signal).catch(() => {})
      const wasWoken = isWoken
      isWoken = false
      return wasWoken
    },
  }
}
