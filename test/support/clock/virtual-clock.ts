import type { Clock } from '../../../src/lib/clock.ts'

/** A clock that a test moves: waiting takes no time and never races. */
export interface VirtualClock extends Clock {
  /** Moves on by `ms`; wakes sleepers in order, each at its own time, and lets what they start run. */
  advance(ms: number): Promise<void>
  /** All dates passed to the functions that `observe` returned. */
  readonly observed: Date[]
}

/** `letRun` lets what a sleeper starts run before time moves on. Default: `settle`, which does not wait for threads. */
export function virtualClock(
  start = Date.parse('2026-11-23T10:00:00Z'),
  letRun: () => Promise<void> = settle,
): VirtualClock {
  let now = start
  let sleepers: { at: number; wake: () => void }[] = []
  const observed: Date[] = []
  function sleepUntil(at: number, signal?: AbortSignal): Promise<void> {
    if (at <= now) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        sleepers = sleepers.filter(other => other !== sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const sleeper = { at, wake }
      sleepers.push(sleeper)
      signal?.addEventListener('abort', abort)
    })
  }

  return {
    now: () => now,
    observed,
    observe: () => date => void observed.push(date),
    sleepUntil,
    sleep: (ms, signal) => sleepUntil(now + ms, signal),
    async advance(ms) {
      const end = now + ms
      await letRun()
      for (;;) {
        const next = sleepers.filter(s => s.at <= end).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        now = Math.max(now, next.at)
        sleepers = sleepers.filter(s => s !== next)
        next.wake()
        await letRun()
      }
      now = end
      await letRun()
    },
  }
}

/** Lets promises and immediate callbacks run until nothing more is likely to be pending. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
}
