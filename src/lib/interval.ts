import type { Clock } from './clock.ts'

/** Does something each minute until the returned function is called. What it does must not throw. */
export function everyMinute(clock: Clock, work: () => void): () => void {
  const stopping = new AbortController()
  async function run() {
    for (;;) {
      await clock.sleepUntil(clock.now() + 60_000, stopping.signal)
      work()
    }
  }
  run().catch(() => {})
  return () => stopping.abort()
}
