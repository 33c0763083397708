import { createHash } from 'node:crypto'
import { type Sessions, verifyToken } from '../../src/dev/aws/rds-verifier.ts'
import { createRds } from '../simulation/rds.ts'
import { ORDERS } from '../support/databases/orders.ts'
import type { Instance } from './instance.ts'

/** The least that a token has left when it is vended. */
const MIN_REMAINING_MS = 5 * 60_000
/** A server learns that its clock was set from the next reply of AWS, and reads the file that sets it once a second. */
const CLOCK_GRACE_MS = 5000

/** A reply with a token, as the caller got it. */
export interface Delivery {
  instance: Instance
  body: Record<string, unknown>
}

/** What became of all tokens that callers got. */
export interface Deliveries {
  /** Verifies a token as RDS does, in the moment of its arrival. */
  add(delivery: Delivery): void
  readonly count: number
  /** The fingerprint of the token that each audit id stands for. */
  readonly fingerprintByAuditId: ReadonlyMap<string, string>
  /** Different tokens. */
  readonly tokens: number
  /** First logins that RDS would have throttled. */
  throttled(): number
  /** The most first logins within a second. */
  busiestSecond(): number
  /** Why RDS would have refused a token, each once. */
  readonly refusals: readonly string[]
  /** The least time (ms) that a token had left. */
  shortestMs(): number
  /** Tokens with less than five minutes, from an instance whose clock had just been set. */
  readonly shortAfterClockSet: number
  /** Those from any other instance. */
  readonly short: readonly string[]
}

/** Returns an empty account of deliveries. `sts` has the role sessions that sign tokens. */
export function countDeliveries(sts: Sessions): Deliveries {
  const rds = createRds({ now: Date.now })
  const fingerprintByAuditId = new Map<string, string>()
  const fingerprints = new Set<string>()
  const refusals = new Set<string>()
  const short: string[] = []
  let shortAfterClockSet = 0
  let shortestMs = Number.POSITIVE_INFINITY
  let count = 0

  return {
    add({ instance, body }) {
      count++
      const now = Date.now()
      const token = String(body.token)
      const fingerprint = createHash('sha256').update(token).digest('hex')
      fingerprintByAuditId.set(String(body.auditId), fingerprint)
      fingerprints.add(fingerprint)
      if (body.fingerprint !== fingerprint)
        refusals.add(`the reply ${body.auditId} names another fingerprint`)

      const verification = verifyToken({ token, user: String(body.user), endpoint: ORDERS, sts, now })
      if (verification.ok) rds.login({ token, identity: verification.identity })
      else refusals.add(`${instance.name}: ${verification.reason}`)

      const remainingMs = Date.parse(String(body.expiresAt)) - now
      if (remainingMs >= MIN_REMAINING_MS) shortestMs = Math.min(shortestMs, remainingMs)
      else if (now - instance.clockSetAt < CLOCK_GRACE_MS) shortAfterClockSet++
      else short.push(`${instance.name}: ${Math.round(remainingMs / 1000)} s left`)
    },
    get count() {
      return count
    },
    fingerprintByAuditId,
    get tokens() {
      return fingerprints.size
    },
    throttled: () => rds.throttled,
    busiestSecond: () => rds.busiestSecond,
    get refusals() {
      return [...refusals]
    },
    shortestMs: () => shortestMs,
    get shortAfterClockSet() {
      return shortAfterClockSet
    },
    short,
  }
}
