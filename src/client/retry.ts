import { backoffMs, jitteredMs } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { CallerError } from './errors.ts'

/** A wait for another attempt. */
export interface Wait {
  /** Why the last attempt failed. */
  readonly error: CallerError
  /** How long until the next attempt, in milliseconds. */
  readonly delayMs: number
  /** When the last attempt will be, in milliseconds since the epoch. */
  readonly giveUpAt: number
}

export interface RetryOptions {
  /** How long to keep trying; with 0 there is one attempt. */
  waitMs: number
  clock: Pick<Clock, 'now' | 'sleep'>
  /** From 0 to 1, as `Math.random`. */
  random: () => number
  signal?: AbortSignal | undefined
  /** Called before each wait. */
  onWait?: ((wait: Wait) => void) | undefined
}

const BACKOFF = { firstMs: 1000, maxMs: 10_000 }
const JITTER = { low: 0.75, high: 1.25 }
/** `Retry-After` counts from the answer, in whole seconds, and `waitMs` from before the request: so much later is waited for. */
const GRACE_MS = 2000

/**
 * Returns what `attempt` resolves with. While it fails in a way that may pass (`CallerError.isTemporary`), tries again when the
 * server asks to, else after 1 s, 2 s, 4 s and so on up to 10 s, jittered by a quarter, and for the last time when `waitMs` have
 * passed. Rejects with the last error; with the signal's reason as soon as that aborts.
 */
export async function retryWhileTemporary<T>(
  attempt: () => Promise<T>,
  { waitMs, clock, random, signal, onWait }: RetryOptions,
): Promise<T> {
  const giveUpAt = clock.now() + waitMs
  for (let retries = 0; ; retries++) {
    signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      const leftMs = giveUpAt - clock.now()
      if (!(error instanceof CallerError) || !error.isTemporary || leftMs <= 0) throw error
      const { retryAfterMs: askedMs } = error
      const ownMs = jitteredMs(backoffMs(retries, BACKOFF), { ...JITTER, random: random() })
      const delayMs =
        askedMs !== undefined && askedMs <= leftMs + GRACE_MS ? askedMs : Math.min(askedMs ?? ownMs, leftMs)
      onWait?.({ error, delayMs, giveUpAt })
      await clock.sleep(delayMs, signal)
    }
  }
}
