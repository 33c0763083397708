/** How long a retry waits. */
export interface Backoff {
  /** The wait before the first retry, in milliseconds; it doubles with each further one. */
  readonly firstMs: number
  readonly maxMs: number
}

/** Returns how long to wait before retry number `retries` (from 0), in milliseconds, without jitter. */
export function backoffMs(retries: number, { firstMs, maxMs }: Backoff): number {
  return Math.min(firstMs * 2 ** retries, maxMs)
}

/** How a wait is spread. */
export interface Jitter {
  /** The least and the most that a wait is multiplied by. */
  readonly low: number
  readonly high: number
  /** From 0 to 1, as `Math.random` returns it. */
  readonly random: number
}

/**
 * Returns a random wait, evenly spread from `low` to `high` times `ms`, so that callers that failed together do not retry
 * together.
 */
export function jitteredMs(ms: number, { low, high, random }: Jitter): number {
  return ms * (low + (high - low) * random)
}
