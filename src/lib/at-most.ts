import type { Clock } from './clock.ts'

/** Resolves when `work` does, or when `ms` are over and it goes on by itself. Rejects where `work` rejects before. */
export async function atMost(ms: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  const done = new AbortController()
  const patience = clock.sleepUntil(clock.now() + ms, done.signal).catch(() => {})
  await Promise.race([work, patience]).finally(() => done.abort())
}
