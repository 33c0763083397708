import type { Clock } from './clock.ts'

/** Calls `work` each minute, for the first time after one, until the returned function is called. `work` must not throw. */
export function everyMinute(clock: Clock, work: () => void): () => void {
  const stop = new AbortController()
  async function run() {
    for (;;) {
      await clock.sleepUntil(clock.now() + 60_000, stop.signal)
      work()
    }
  }
  run().catch(() => {})
  return () => stop.abort()
}
