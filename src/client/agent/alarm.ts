import type { Clock } from '../../lib/clock.ts'

/** A sleep that somebody may end. */
export interface Alarm {
  /** Ends the sleep, or the next one if nobody sleeps. */
  ring(): void
  /** Resolves after `ms`, when it rings or when the signal aborts; with whether it rang. */
  sleep(ms: number): Promise<boolean>
}

/** Returns an alarm that sleeps no more once the signal has aborted. */
export function createAlarm({ clock, signal }: { clock: Pick<Clock, 'sleep'>; signal: AbortSignal }): Alarm {
  let isRung = false
  let awake = new AbortController()
  signal.addEventListener('abort', () => awake.abort())
  return {
    ring() {
      isRung = true
      awake.abort()
    },
    async sleep(ms) {
      awake = new AbortController()
      if (!isRung && !signal.aborted) await clock.sleep(ms, awake.signal).catch(() => {})
      const wasRung = isRung
      isRung = false
      return wasRung
    },
  }
}
