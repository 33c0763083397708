import { type BackgroundTasks, createBackgroundTasks } from '../../../src/lib/background-tasks.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import type { Store } from '../../../src/store/store.ts'
import type { Log } from '../../../src/telemetry/log.ts'
import { createRateLimiter, type RateLimiter } from '../../../src/tokens/rate-limit/rate-limiter.ts'
import type { AssumeRole } from '../../../src/tokens/role-session/assume-role.ts'
import { createRoleBreaker } from '../../../src/tokens/role-session/role-breaker.ts'
import { createTokenCache, type TokenCache, type TokenCacheParts } from '../../../src/tokens/token-cache.ts'
import { asEncrypted } from './as-encrypted.ts'

export interface TokenServiceParts {
  clock: Clock
  /** The store that the fleet shares; tokens are in it in clear. */
  store: Store
  log: Log
  /** The stand-in for STS. */
  assumeRole: AssumeRole
  /** Whether a role that fails is retried only after a backoff, as in production; false unless given. */
  hasRoleBreaker?: boolean
  /** The real one over `store` unless given. */
  rateLimiter?: RateLimiter
  sign: TokenCacheParts['sign']
  /** From 0 to 1; 0.5 unless given. */
  random?: () => number
  backgroundTasks?: BackgroundTasks
  onDelivered?: TokenCacheParts['onDelivered']
}

/** Returns a token cache with rate limiter, role breaker and signing, put together as in `createService`, over a test's fakes. */
export function createTokenService(parts: TokenServiceParts): TokenCache {
  const { clock, store, log, assumeRole, hasRoleBreaker = false, sign } = parts
  const { random = () => 0.5, backgroundTasks = createBackgroundTasks() } = parts
  const shared = { clock, store, log, random, backgroundTasks }
  const encryptedStore = asEncrypted(store)
  return createTokenCache({
    ...shared,
    encryptedStore,
    rateLimiter: parts.rateLimiter ?? createRateLimiter({ encryptedStore, clock }),
    roleAssumer: hasRoleBreaker
      ? createRoleBreaker(assumeRole, { ...shared, encryptedStore })
      : { assume: assumeRole, check() {} },
    sign,
    onDelivered: parts.onDelivered,
  })
}
