import type { RoleSession } from '../../src/tokens/token.ts'
import { ORDERS } from '../support/databases/orders.ts'
import type { Password } from './rds.ts'
import { simulateSignature } from './signature.ts'
import type { CreateStrategy, StrategyParts } from './strategy.ts'

/** AWS's SDKs replace credentials this long before they expire. */
const RENEW_BEFORE_MS = 300_000
/** AWS's JDBC wrapper keeps a token for 15 minutes less 30 s. */
const CACHE_MS = 870_000
const SIGNED_FOR = { database: ORDERS, user: 'app_rw' }

/** Whose credentials a workload signs with: its own, or one set that every workload holds. */
export type Credentials = 'own' | 'shared'

type Sign = (workload: number) => Promise<Password>

interface HeldSession {
  session?: RoleSession
  pending?: Promise<RoleSession> | undefined
}

/** Returns a signer that keeps credentials as an SDK does: one AssumeRole for all who wait, renewed before they expire. */
function createSigner({ clock, network }: StrategyParts, credentials: Credentials): Sign {
  const heldSessions = new Map<number, HeldSession>()

  async function sessionOf(holder: number): Promise<RoleSession> {
    const held = heldSessions.get(holder) ?? {}
    heldSessions.set(holder, held)
    if (held.session && held.session.expiresAt - clock.now() > RENEW_BEFORE_MS) return held.session
    held.pending ??= network.assumeRole(`workload-${holder}`).then(session => {
      held.session = session
      held.pending = undefined
      return session
    })
    return held.pending
  }

  return async workload => {
    const session = await sessionOf(credentials === 'own' ? workload : 0)
    const { text, identity } = simulateSignature(SIGNED_FOR, { session, at: clock.now() })
    return { token: text, identity }
  }
}

/** (a) A signature for each connection, as `@aws-sdk/rds-signer` makes it in a driver's password callback. */
export function signForEachConnection(credentials: Credentials): CreateStrategy {
  return parts => {
    const sign = createSigner(parts, credentials)
    let vends = 0
    return {
      getPassword(workload) {
        vends++
        return sign(workload)
      },
      onLoginFailed() {},
      throttledAt: [],
      get vends() {
        return vends
      },
    }
  }
}

/** (b) A token cached in each process, as AWS's drivers do; a failed login makes them sign another. */
export function cacheInEachProcess(credentials: Credentials): CreateStrategy {
  return parts => {
    const sign = createSigner(parts, credentials)
    const cache = new Map<number, { password: Password; expiresAt: number }>()
    let vends = 0
    return {
      async getPassword(workload) {
        vends++
        const cached = cache.get(workload)
        if (cached && cached.expiresAt > parts.clock.now()) return cached.password
        const password = await sign(workload)
        cache.set(workload, { password, expiresAt: parts.clock.now() + CACHE_MS })
        return password
      },
      onLoginFailed: workload => void cache.delete(workload),
      throttledAt: [],
      get vends() {
        return vends
      },
    }
  }
}
