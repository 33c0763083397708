import type { Clock } from '../../lib/clock.ts'
import { remainingMs, type TimeWindow } from '../../lib/time-window.ts'

/** Enough for the keys of three days, each replaced once; a fleet in peace needs one call a day. */
const MAX_CALLS = 10
const PER_MS = 60_000

/** How often an instance may ask KMS for keys that records name: anybody may have written them. */
export interface KmsAllowance {
  /** Returns whether another call is allowed now, and counts it. */
  take(): boolean
}

/** Returns an allowance of 10 calls in a minute. */
export function createKmsAllowance(clock: Pick<Clock, 'now'>): KmsAllowance {
  let window: TimeWindow = { since: 0, forMs: 0 }
  let calls = 0
  return {
    take() {
      const now = clock.now()
      if (remainingMs(window, now) === 0) {
        window = { since: now, forMs: PER_MS }
        calls = 0
      }
      return ++calls <= MAX_CALLS
    },
  }
}
