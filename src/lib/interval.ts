import type { Clock } from './clock.ts'

/** Calls `work` once a minute, first after one minute, until the returned function is called. `work` must not throw. */
export function everyMinute(clock: Clock, work: () => void): () => void {
  const stop = new AbortController()
  async function run() {
    for (;;) {
      await clock.sleep(60_000, stop.signal)
      work()
    }
  }
  run().catch(() => {})
  return () => stop.abort()
}
