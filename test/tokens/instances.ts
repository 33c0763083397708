import { createBackgroundTasks } from '../../src/lib/background-tasks.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Store } from '../../src/store/store.ts'
import { createRateLimiter } from '../../src/tokens/rate-limit/rate-limiter.ts'
import type { RoleAssumer } from '../../src/tokens/role-session/session-provider.ts'
import { signToken } from '../../src/tokens/sign.ts'
import { createTokenCache, type TokenCache, type TokenDelivery } from '../../src/tokens/token-cache.ts'
import { type TokenKey, tokenKey } from '../../src/tokens/token-key.ts'
import type { VirtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { asEncrypted } from '../support/service/as-encrypted.ts'
import { rememberingLog } from '../support/service/log.ts'

export const MINUTE = 60_000
export const KEY = tokenKey({ database: ORDERS, user: 'migrator' })

/** One of several instances, with what it has done so far and what fails it. */
export interface Instance {
  readonly tokenCache: TokenCache
  readonly log: ReturnType<typeof rememberingLog>
  readonly sts: { delayMs: number; fails: Error | undefined; lifeMs: number }
  readonly assumed: TokenKey[]
  readonly calls: { read: number; swap: number }
  /** What its store fails with. */
  readonly store: { fails: Error | undefined }
  /** Asks and hands out. */
  get(ask?: { refused?: string; key?: TokenKey }): Promise<TokenDelivery>
  signed(): number
}

let sessions = 0

export function instance({ store, clock }: { store: Store; clock: Clock }): Instance {
  const log = rememberingLog()
  const sts: Instance['sts'] = { delayMs: 0, fails: undefined, lifeMs: 60 * MINUTE }
  const storeFault: Instance['store'] = { fails: undefined }
  const calls = { read: 0, swap: 0 }
  const assumed: TokenKey[] = []
  let signed = 0
  const counted: Store = {
    async read(key) {
      calls.read++
      if (storeFault.fails) throw storeFault.fails
      return store.read(key)
    },
    async compareAndSwap(change) {
      calls.swap++
      if (storeFault.fails) throw storeFault.fails
      return store.compareAndSwap(change)
    },
  }
  const roles: RoleAssumer = {
    check() {},
    async assume(key) {
      assumed.push(key)
      if (sts.delayMs > 0) await clock.sleepUntil(clock.now() + sts.delayMs)
      if (sts.fails) throw sts.fails
      const n = ++sessions
      return {
        accessKeyId: `ASIA${n}`,
        secretAccessKey: `secret${n}`,
        sessionToken: `session${n}`,
        expiresAt: clock.now() + sts.lifeMs,
        identity: key.sessionName,
      }
    },
  }
  const tokenCache = createTokenCache({
    roles,
    encryptedStore: asEncrypted(counted),
    rateLimiter: createRateLimiter({ store: counted, clock }),
    backgroundTasks: createBackgroundTasks(),
    clock,
    log,
    random: () => 0.5,
    sign(key, what) {
      signed++
      return signToken(key, what)
    },
  })
  return {
    tokenCache,
    log,
    sts,
    assumed,
    calls,
    store: storeFault,
    signed: () => signed,
    async get({ refused, key = KEY } = {}) {
      const held = await tokenCache.get(key, { rejectedFingerprint: refused })
      await held.deliver()
      return held
    },
  }
}

/** Lets time go by until the work is done, in steps of 5 ms. */
export async function during<T>(clock: VirtualClock, work: Promise<T>, limitMs = 30_000): Promise<T> {
  let isDone = false
  const watch = () => {
    isDone = true
  }
  work.then(watch, watch)
  for (let passed = 0; !isDone && passed < limitMs; passed += 5) await clock.advance(5)
  return work
}
