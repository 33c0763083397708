/** Keeps a line that could be written with every request from filling a log. */
export interface LogThrottle {
  /** Returns whether the line is due at `now` (ms); if so, counts it as written then. */
  admit(now: number): boolean
  /** Makes the next line due at once. */
  reset(): void
}

/** Returns a throttle. The first line is due at once, the next `everyMs` after the last admitted; a minute unless given. */
export function createLogThrottle(everyMs = 60_000): LogThrottle {
  let admittedAt: number | undefined
  return {
    admit(now) {
      // the distance in either direction: a clock that was put back must not silence it
      if (admittedAt !== undefined && Math.abs(now - admittedAt) < everyMs) return false
      admittedAt = now
      return true
    },
    reset() {
      admittedAt = undefined
    },
  }
}
