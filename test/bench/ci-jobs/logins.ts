import { createRds, type Password } from '../../simulation/rds.ts'

/** A login, and when it comes. */
export interface Login extends Password {
  readonly atMs: number
}

export interface Admission {
  /** How many logins RDS throttles when they come first. */
  readonly throttled: number
  /** The longest time from coming to being in. */
  readonly longestWaitMs: number
}

/**
 * Returns how RDS admits logins by the throttle that AWS documents, to the millisecond and at best: whoever is throttled comes
 * again at the very moment that RDS has room, which no client can know.
 */
export function admitLogins(logins: readonly Login[]): Admission {
  let now = 0
  const rds = createRds({ now: () => now })
  const coming = logins.toSorted((one, other) => one.atMs - other.atMs)
  let waiting: Login[] = []
  let throttled = 0
  let longestWaitMs = 0
  for (; coming.length + waiting.length > 0; now++) {
    const newcomers = coming.splice(0, coming.findLastIndex(({ atMs }) => atMs <= now) + 1)
    const refused = [...waiting, ...newcomers].filter(login => {
      const isIn = rds.login(login)
      if (isIn) longestWaitMs = Math.max(longestWaitMs, now - login.atMs)
      else if (newcomers.includes(login)) throttled++
      return !isIn
    })
    waiting = refused
  }
  return { throttled, longestWaitMs }
}
