export interface Backoff {
  /** Before the first retry, in milliseconds; doubles with each further one. */
  readonly firstMs: number
  readonly maxMs: number
}

/** How long to wait before retry number `retries` (from 0), in milliseconds, without jitter. */
export function backoffMs(retries: number, { firstMs, maxMs }: Backoff): number {
  return Math.min(firstMs * 2 ** retries, maxMs)
}

export interface Jitter {
  /** The least and the most that a wait is multiplied by. */
  readonly low: number
  readonly high: number
  /** From 0 to 1, as `Math.random` returns it. */
  readonly random: number
}

/** Spreads a wait evenly over `low` to `high` times its length, so that those who failed together do not retry together. */
export function jitteredMs(ms: number, { low, high, random }: Jitter): number {
  return ms * (low + (high - low) * random)
}
