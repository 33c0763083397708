import { TOKEN_LIFETIME_MS } from '../../src/tokens/lifetime.ts'
import { slidingSecond } from './sliding-second.ts'

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html#UsingWithRDS.IAMDBAuth.ConnectionsPerSecond */
export const IDENTITIES_PER_SECOND = 20
export const TOKENS_PER_SECOND = 200

/** What reaches RDS: a password, and whom it was signed by. */
export interface Login {
  readonly token: string
  readonly identity: string
}

/** Logins that bring a token for the first time, second by second from the first login on. */
export interface Second {
  admitted: number
  throttled: number
}

/** One database that throttles IAM logins. */
export interface Rds {
  /** False where the login is throttled. */
  login(login: Login): boolean
  readonly logins: number
  readonly throttled: number
  /** The most logins in any sliding second that brought a token not used before, let in or not. */
  readonly busiestSecond: number
  readonly seconds: readonly Second[]
}

/**
 * Judges logins as strictly as AWS's words allow. A token used before is free. Any other may come in while the second that
 * ends with it has at most 20 identities and 200 tokens, both counted with it. What is throttled does not count, so that a
 * storm of retries costs those behind it nothing; were it otherwise, who is throttled at all would fare worse than here.
 *
 * That the identity is the role session is taken for granted: no RDS was asked.
 */
export function createRds(clock: { now(): number }): Rds {
  /** By token, when it was first used; the oldest first. */
  const used = new Map<string, number>()
  const identities = new Map<string, number>()
  const admitted = slidingSecond<string>(identity => {
    const left = (identities.get(identity) ?? 0) - 1
    if (left > 0) identities.set(identity, left)
    else identities.delete(identity)
  })
  const brought = slidingSecond<undefined>()
  const start = clock.now()
  const seconds: Second[] = []
  let logins = 0
  let throttled = 0
  let busiestSecond = 0

  function secondAt(now: number): Second {
    const index = Math.floor((now - start) / 1000)
    while (seconds.length <= index) seconds.push({ admitted: 0, throttled: 0 })
    return seconds[index] as Second
  }

  function forgetExpired(now: number): void {
    for (const [token, at] of used) {
      if (at > now - TOKEN_LIFETIME_MS) break
      used.delete(token)
    }
  }

  return {
    get logins() {
      return logins
    },
    get throttled() {
      return throttled
    },
    get busiestSecond() {
      return busiestSecond
    },
    seconds,
    login({ token, identity }) {
      logins++
      if (used.has(token)) return true
      const now = clock.now()
      forgetExpired(now)
      admitted.goOnTo(now)
      brought.goOnTo(now)
      brought.add(now, undefined)
      busiestSecond = Math.max(busiestSecond, brought.size())
      const withIt = identities.size + (identities.has(identity) ? 0 : 1)
      if (withIt > IDENTITIES_PER_SECOND || admitted.size() + 1 > TOKENS_PER_SECOND) {
        throttled++
        secondAt(now).throttled++
        return false
      }
      used.set(token, now)
      admitted.add(now, identity)
      identities.set(identity, (identities.get(identity) ?? 0) + 1)
      secondAt(now).admitted++
      return true
    },
  }
}
