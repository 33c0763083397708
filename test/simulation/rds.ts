import { TOKEN_LIFETIME_MS } from '../../src/tokens/lifetime.ts'
import { createSlidingSecond } from './sliding-second.ts'

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html#UsingWithRDS.IAMDBAuth.ConnectionsPerSecond */
export const IDENTITIES_PER_SECOND = 20
export const TOKENS_PER_SECOND = 200

/** What a login brings to RDS: a token, and the identity that signed it. */
export interface Password {
  readonly token: string
  readonly identity: string
}

/** One second's logins: those that were let in, with a new token or with one used before, and the others. */
export interface Second {
  admitted: number
  throttled: number
}

/** One database that throttles IAM logins. */
export interface Rds {
  /** Returns false if the login is throttled. */
  login(password: Password): boolean
  readonly logins: number
  readonly throttled: number
  /** How many tokens were let in for the first time. */
  readonly newTokens: number
  /** The most logins in any sliding second with a token not used before, throttled ones included. */
  readonly busiestSecond: number
  /** Every second from the start on. */
  readonly seconds: readonly Second[]
}

/**
 * Throttles as strictly as AWS's documentation allows. A token used before is free. Any other is admitted if the second that
 * ends with its login has at most 20 identities and 200 tokens, itself included. Throttled logins do not count, so a storm
 * of retries costs nobody else anything; if RDS counts them, strategies that are throttled do worse than here.
 *
 * Assumes that the identity is the role session; this was not tried on a live RDS.
 */
export function createRds(clock: { now(): number }): Rds {
  /** When each token was first used, the oldest first. */
  const firstUses = new Map<string, number>()
  const identities = new Map<string, number>()
  const admitted = createSlidingSecond<string>(identity => {
    const remaining = (identities.get(identity) ?? 0) - 1
    if (remaining > 0) identities.set(identity, remaining)
    else identities.delete(identity)
  })
  const attempted = createSlidingSecond<undefined>()
  const start = clock.now()
  const seconds: Second[] = []
  let logins = 0
  let throttled = 0
  let newTokens = 0
  let busiestSecond = 0

  function secondAt(now: number): Second {
    const index = Math.floor((now - start) / 1000)
    while (seconds.length <= index) seconds.push({ admitted: 0, throttled: 0 })
    return seconds[index] as Second
  }

  function forgetExpired(now: number): void {
    for (const [token, at] of firstUses) {
      if (at > now - TOKEN_LIFETIME_MS) break
      firstUses.delete(token)
    }
  }

  return {
    get logins() {
      return logins
    },
    get throttled() {
      return throttled
    },
    get newTokens() {
      return newTokens
    },
    get busiestSecond() {
      return busiestSecond
    },
    seconds,
    login({ token, identity }) {
      logins++
      const now = clock.now()
      if (firstUses.has(token)) {
        secondAt(now).admitted++
        return true
      }
      forgetExpired(now)
      admitted.advanceTo(now)
      attempted.advanceTo(now)
      attempted.add(now, undefined)
      busiestSecond = Math.max(busiestSecond, attempted.size())
      const identitiesWithThis = identities.size + (identities.has(identity) ? 0 : 1)
      if (identitiesWithThis > IDENTITIES_PER_SECOND || admitted.size() + 1 > TOKENS_PER_SECOND) {
        throttled++
        secondAt(now).throttled++
        return false
      }
      newTokens++
      firstUses.set(token, now)
      admitted.add(now, identity)
      identities.set(identity, (identities.get(identity) ?? 0) + 1)
      secondAt(now).admitted++
      return true
    },
  }
}
