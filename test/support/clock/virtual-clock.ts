import type { Clock } from '../../../src/lib/clock.ts'

/** A clock that stands still until it is told to go on: waiting costs a test nothing and never races. */
export interface VirtualClock extends Clock {
  /** Goes on by `ms`, waking every sleeper at its own moment, in order, and letting what it starts run. */
  advance(ms: number): Promise<void>
  /** The dates that replies were told to have. */
  readonly observed: Date[]
}

export function virtualClock(start = Date.parse('2026-11-23T10:00:00Z')): VirtualClock {
  let now = start
  let sleepers: { at: number; wake: () => void }[] = []
  const observed: Date[] = []
  return {
    now: () => now,
    observed,
    observe: () => date => void observed.push(date),
    sleepUntil(at, signal) {
      if (at <= now) return Promise.resolve()
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const sleeper = { at, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter(other => other !== sleeper)
          reject(signal.reason)
        })
      })
    },
    async advance(ms) {
      const end = now + ms
      await settle()
      for (;;) {
        const next = sleepers.filter(s => s.at <= end).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        now = Math.max(now, next.at)
        sleepers = sleepers.filter(s => s !== next)
        next.wake()
        await settle()
      }
      now = end
      await settle()
    },
  }
}

/** Lets promises and immediate callbacks run until nothing more is likely to be due. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
}
