import { asJetonError } from '../../src/errors.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { startInstance } from './jeton.ts'
import { createPrincipals, type SessionMode } from './principals.ts'
import type { CreateStrategy } from './strategy.ts'

/** Callers add up to this much to `Retry-After`, so that they do not all come at the beginning of the same second. */
const MAX_JITTER_MS = 1000
const INSTANCES = 3

export interface JetonStrategyOptions {
  session: SessionMode
  /** The database's limit; the default of `ORDERS` unless given. */
  newTokensPerSecond?: number
}

/** (c) and (d): each connection asks the next of several jeton instances, and retries after `Retry-After`. */
export function createJetonStrategy({ session, ...limits }: JetonStrategyOptions): CreateStrategy {
  return ({ clock, network, random }) => {
    const accessOf = createPrincipals(session, { database: { ...ORDERS, ...limits } })
    const instances = Array.from({ length: INSTANCES }, (_, i) =>
      startInstance({ clock, network, random, name: `jeton-${i}` }),
    )
    const throttledAt: number[] = []
    let vends = 0
    let requests = 0
    return {
      async getPassword(workload, deadline) {
        for (;;) {
          const vend = instances[requests++ % INSTANCES] as (typeof instances)[number]
          await network.http()
          try {
            const { token } = await vend(accessOf(workload))
            vends++
            await network.http()
            return { token: token.text, identity: token.identity }
          } catch (cause) {
            const { retryAfterMs, status } = asJetonError(cause)
            if (retryAfterMs === undefined) throw cause
            if (status === 429) throttledAt.push(clock.now())
            await network.http()
            const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
            const retryAt = clock.now() + retryAfterSeconds * 1000 + random.between(0, MAX_JITTER_MS)
            if (retryAt > deadline) return undefined
            await clock.sleepUntil(retryAt)
          }
        }
      },
      onLoginFailed() {},
      throttledAt,
      get vends() {
        return vends
      },
    }
  }
}
