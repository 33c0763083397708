import type { Clock } from '../../src/lib/clock.ts'
import type { Store } from '../../src/store/store.ts'
import type { CacheRequest } from '../../src/tokens/cache-request.ts'
import { type SlotOwner, slotOwner } from '../../src/tokens/rate-limit/slot-owner.ts'
import { signToken } from '../../src/tokens/sign.ts'
import type { RoleSession } from '../../src/tokens/token.ts'
import type { TokenCache } from '../../src/tokens/token-cache.ts'
import type { TokenDelivery } from '../../src/tokens/token-delivery.ts'
import { type TokenKey, tokenKey } from '../../src/tokens/token-key.ts'
import type { VirtualClock } from '../support/clock/virtual-clock.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { createLogRecorder, type LogRecorder } from '../support/service/log-recorder.ts'
import { createTokenService, type TokenServiceParts } from '../support/service/token-service.ts'

export const MINUTE = 60_000
export const KEY = tokenKey({ database: ORDERS, user: 'migrator' })
export const OWNER = ownerOf(KEY)

/** A principal of its own for each key, under one grant unless another is given. */
export function ownerOf({ sessionName }: TokenKey, grant = 'orders'): SlotOwner {
  return slotOwner(grant, { issuer: 'ci', subject: sessionName })
}

/** A request for a key's token by its own principal. */
export function requestOf(key: TokenKey, rejectedFingerprint?: string): CacheRequest {
  return { owner: ownerOf(key), rejectedFingerprint }
}

/** As many keys of one database as given, each of a principal of its own. */
export function principalKeys(count: number): TokenKey[] {
  return Array.from({ length: count }, (_, i) =>
    tokenKey({ database: ORDERS, user: 'app_ro', principal: { issuer: 'i', subject: `s${i}` } }),
  )
}

/** One of several instances, with what it has done so far and what fails it. */
export interface Instance {
  readonly tokenCache: TokenCache
  readonly log: LogRecorder
  readonly sts: { delayMs: number; fails: Error | undefined; lifeMs: number }
  readonly assumed: TokenKey[]
  readonly calls: { read: number; swap: number }
  /** What its store fails with. */
  readonly store: { fails: Error | undefined }
  /** Gets a token and delivers it. */
  get(request?: {
    rejectedFingerprint?: string
    minimumMs?: number
    key?: TokenKey
    owner?: SlotOwner
  }): Promise<TokenDelivery>
  signed(): number
}

let sessions = 0

export function createInstance({
  store,
  clock,
  ...parts
}: { store: Store; clock: Clock } & Partial<TokenServiceParts>): Instance {
  const log = createLogRecorder()
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

  async function assumeRole(key: TokenKey): Promise<RoleSession> {
    assumed.push(key)
    if (sts.delayMs > 0) await clock.sleepUntil(clock.now() + sts.delayMs)
    if (sts.fails) throw sts.fails
    return sessionOf(`${++sessions}`, clock.now() + sts.lifeMs)
  }

  const tokenCache = createTokenService({
    clock,
    store: counted,
    log,
    assumeRole,
    sign(key, options) {
      signed++
      return signToken(key, options)
    },
    ...parts,
  })
  return {
    tokenCache,
    log,
    sts,
    assumed,
    calls,
    store: storeFault,
    signed: () => signed,
    async get({ rejectedFingerprint, minimumMs, key = KEY, owner = ownerOf(key) } = {}) {
      const delivery = await tokenCache.get(key, { rejectedFingerprint, minimumMs, owner })
      await delivery.deliver(owner)
      return delivery
    },
  }
}

export function sessionOf(name: string, expiresAt: number): RoleSession {
  return {
    accessKeyId: `ASIA${name}`,
    secretAccessKey: `secret${name}`,
    sessionToken: `session${name}`,
    identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
    expiresAt,
  }
}

/** Advances the clock in steps of 5 ms until the work is done, and returns its result. */
export async function during<T>(clock: VirtualClock, work: Promise<T>, limitMs = 30_000): Promise<T> {
  let isDone = false
  const watch = () => {
    isDone = true
  }
  work.then(watch, watch)
  for (let passed = 0; !isDone && passed < limitMs; passed += 5) await clock.advance(5)
  return work
}
