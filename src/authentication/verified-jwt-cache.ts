import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import { measureJson } from '../lib/json.ts'
import { singleFlightByKey } from '../lib/single-flight.ts'
import { remainingMs, type TimeWindow } from '../lib/time-window.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import type { Principal } from './principal.ts'
import { unauthenticated } from './unauthenticated.ts'

/** What a JWT proved, and what that depends on. */
export interface VerifiedJwt {
  readonly principal: Principal
  /** The JWT's `exp`, in milliseconds. */
  readonly expiresAt: number
  readonly keys: IssuerKeys
  /** The version of `keys` that the signature was verified with. */
  readonly version: number
}

/** The most memory that cached JWTs may take. */
export const MAX_CACHE_BYTES = 32 * 1024 * 1024
export const MAX_JWT_BYTES = 16 * 1024

const MAX_AGE_MS = 5 * 60_000

export interface VerifiedJwtCacheOptions {
  verify: (jwt: string) => Promise<VerifiedJwt>
  clock: Clock
  maxBytes?: number
  /** Returns what is kept for a principal beyond what is measured for all of them, in bytes. Default: nothing. */
  extraBytesOf?: ((principal: Principal) => number) | undefined
}

export interface VerifiedJwtCache {
  authenticate(jwt: string): Promise<Principal>
  /** Returns the principal of a JWT that is in the cache; else undefined. Never throws. */
  recall(jwt: string): Principal | undefined
}

/** Includes its time window, so that a look-up allocates nothing. */
interface CachedJwt extends TimeWindow {
  readonly verified: VerifiedJwt
}

/**
 * Returns `verify` with a cache by the JWT's SHA-256, so that one seen before costs a hash and a look-up: `recall` is that
 * look-up alone. An entry is used for 5 minutes at most, never past `exp` itself (the clock tolerance is `verify`'s alone),
 * and not after the keys that it was verified with have changed. It always has the same Principal object. Concurrent first
 * calls share one verification; failures are not cached. A new access policy needs a new cache, since an entry holds for what
 * `verify` trusts.
 */
export function cacheVerifiedJwts({
  verify,
  clock,
  maxBytes = MAX_CACHE_BYTES,
  extraBytesOf = () => 0,
}: VerifiedJwtCacheOptions): VerifiedJwtCache {
  const cache = new LRUCache<string, CachedJwt>({ maxSize: maxBytes })
  const verifications = singleFlightByKey<Principal>()

  async function verifyAndCache(jwt: string, hash: string): Promise<Principal> {
    const verified = await verify(jwt)
    const entry = { verified, since: clock.now(), forMs: MAX_AGE_MS }
    const { principal } = verified
    cache.set(hash, entry, { size: sizeOf(jwt, principal) + extraBytesOf(principal) })
    return principal
  }

  function lookUp(hash: string): Principal | undefined {
    const cached = cache.get(hash)
    if (!cached) return undefined
    const now = clock.now()
    const { expiresAt, keys, version, principal } = cached.verified
    if (remainingMs(cached, now) > 0 && now < expiresAt && keys.version === version) return principal
    cache.delete(hash)
    return undefined
  }

  return {
    async authenticate(jwt) {
      checkJwtLength(jwt)
      const hash = sha256Hex(jwt)
      return lookUp(hash) ?? verifications.run(hash, () => verifyAndCache(jwt, hash))
    },
    recall: jwt => (jwt.length > MAX_JWT_BYTES ? undefined : lookUp(sha256Hex(jwt))),
  }
}

/** Throws `unauthenticated` for a JWT that is refused before it is hashed or decoded. */
export function checkJwtLength(jwt: string): void {
  if (jwt.length > MAX_JWT_BYTES)
    throw unauthenticated(`the JWT is longer than the ${MAX_JWT_BYTES} bytes that are accepted`)
}

/** Measured for an entry, with what the access policy keeps of nearly every principal besides. */
const ENTRY_BYTES = 6 * 1024
const VALUE_BYTES = 64

/** The JWT itself is not kept, but its claims are: as measured, 1 to 2 times its length, and some bytes for each value. */
function sizeOf(jwt: string, { claims }: Principal): number {
  return ENTRY_BYTES + 2 * jwt.length + VALUE_BYTES * measureJson(claims).values
}
