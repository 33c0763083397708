export interface QuotaOptions {
  /** How many actions may be taken at once. */
  readonly burst: number
  /** How long it takes until one more may be taken, in milliseconds. */
  readonly everyMs: number
}

/** Bounds how often something is done, with room for a burst (a token bucket). Times are in milliseconds. */
export interface Quota {
  /** Takes one action; returns false, and takes nothing, if none is left at `now`. */
  take(now: number): boolean
  /** Returns how long it is until one can be taken: 0 if one is left. */
  waitMs(now: number): number
  /** Gives back one that was taken for nothing. */
  giveBack(): void
}

/** Returns a quota that is full. A clock that was put back makes no wait longer than `everyMs`. */
export function createQuota({ burst, everyMs }: QuotaOptions): Quota {
  /** When the quota is full again if nothing more is taken. */
  let fullAt = Number.NEGATIVE_INFINITY

  function waitMs(now: number): number {
    fullAt = Math.min(fullAt, now + burst * everyMs)
    return Math.max(0, fullAt - now - (burst - 1) * everyMs)
  }

  return {
    waitMs,
    take(now) {
      if (waitMs(now) > 0) return false
      fullAt = Math.max(fullAt, now) + everyMs
      return true
    },
    giveBack() {
      fullAt -= everyMs
    },
  }
}
