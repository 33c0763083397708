/** Keeps a line that could be written with every request from filling a log. */
export interface LogThrottle {
  /** Returns true when the line is due at `now` (ms), and counts it as written then. */
  admit(now: number): boolean
  /** Makes the next line due at once. */
  reset(): void
}

/** The first line is due at once, each further one `everyMs` after the last that was admitted: a minute unless given. */
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
