import { asJetonError } from '../../src/errors.ts'
import { ORDERS } from '../support/databases/orders.ts'
import type { Contending } from './contender.ts'
import { startInstance } from './jeton.ts'
import { principals, type Session } from './principals.ts'

/** What a caller adds to `Retry-After`, so that not everyone told the same second comes at its beginning. */
const JITTER_MS = 1000

export interface JetonOptions {
  session: Session
  instances?: number
  /** A limit other than the default, to see what it does. */
  newTokensPerSecond?: number
}

/** (c) and (d): each connection asks jeton, over several instances in turn, and comes back when it is told to. */
export function askingJeton({ session, instances: count = 3, ...limits }: JetonOptions): Contending {
  return ({ clock, network, random }) => {
    const standingOf = principals(session, { ...ORDERS, ...limits })
    const instances = Array.from({ length: count }, (_, i) =>
      startInstance({ clock, network, random, name: `jeton-${i}` }),
    )
    const refusedAt: number[] = []
    let vends = 0
    let asks = 0
    return {
      async passwordFor(workload, until) {
        for (;;) {
          const instance = instances[asks++ % count] as (typeof instances)[number]
          await network.http()
          try {
            const { token } = await instance(standingOf(workload))
            vends++
            await network.http()
            return { token: token.text, identity: token.identity }
          } catch (cause) {
            const { retryAfterMs, status } = asJetonError(cause)
            if (retryAfterMs === undefined) throw cause
            if (status === 429) refusedAt.push(clock.now())
            await network.http()
            const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
            const comeBackAt = clock.now() + seconds * 1000 + random.between(0, JITTER_MS)
            if (comeBackAt > until) return undefined
            await clock.sleepUntil(comeBackAt)
          }
        }
      },
      failed() {},
      refusedAt,
      get vends() {
        return vends
      },
    }
  }
}
