import type { RoleSession } from '../../src/tokens/token.ts'
import { ORDERS } from '../support/databases/orders.ts'
import type { Contending, Stage } from './contender.ts'
import type { Login } from './rds.ts'
import { playedSignature } from './signature.ts'

/** AWS's SDKs replace credentials this long before they end. */
const RENEW_BEFORE_MS = 300_000
/** What AWS's JDBC wrapper keeps a token for: 15 minutes less 30 s. */
const CACHED_MS = 870_000
const SIGNED = { database: ORDERS, user: 'app_rw' }

/** Whose credentials a workload signs with: its own, or the same ones that every workload holds. */
export type Credentials = 'own' | 'shared'

type Sign = (workload: number) => Promise<Login>

/** Signs with credentials kept as an SDK keeps them: one AssumeRole for all who wait, renewed before they end. */
function signer({ clock, network }: Stage, credentials: Credentials): Sign {
  const kept = new Map<number, { current?: RoleSession; flight?: Promise<RoleSession> | undefined }>()

  async function sessionOf(holder: number): Promise<RoleSession> {
    const mine = kept.get(holder) ?? {}
    kept.set(holder, mine)
    if (mine.current && mine.current.expiresAt - clock.now() > RENEW_BEFORE_MS) return mine.current
    mine.flight ??= network.assume(`workload-${holder}`).then(session => {
      mine.current = session
      mine.flight = undefined
      return session
    })
    return mine.flight
  }

  return async workload => {
    const session = await sessionOf(credentials === 'own' ? workload : 0)
    const { text, identity } = playedSignature(SIGNED, { session, at: clock.now() })
    return { token: text, identity }
  }
}

/** (a) A signature for each connection, as `@aws-sdk/rds-signer` makes it in a driver's password callback. */
export function signingEachTime(credentials: Credentials): Contending {
  return stage => {
    const sign = signer(stage, credentials)
    let vends = 0
    return {
      passwordFor(workload) {
        vends++
        return sign(workload)
      },
      failed() {},
      refusedAt: [],
      get vends() {
        return vends
      },
    }
  }
}

/** (b) A token kept in each process, as AWS's drivers keep it; a login that fails makes them sign another. */
export function cachingInProcess(credentials: Credentials): Contending {
  return stage => {
    const sign = signer(stage, credentials)
    const cache = new Map<number, { login: Login; until: number }>()
    let vends = 0
    return {
      async passwordFor(workload) {
        vends++
        const cached = cache.get(workload)
        if (cached && cached.until > stage.clock.now()) return cached.login
        const login = await sign(workload)
        cache.set(workload, { login, until: stage.clock.now() + CACHED_MS })
        return login
      },
      failed: workload => void cache.delete(workload),
      refusedAt: [],
      get vends() {
        return vends
      },
    }
  }
}
