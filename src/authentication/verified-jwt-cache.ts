import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { sha256Hex } from '../lib/hash.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import type { Claim, Principal } from './principal.ts'
import { unauthenticated } from './unauthenticated.ts'

/** What a JWT proved, and what that rests on. */
export interface VerifiedJwt {
  readonly principal: Principal
  /** The JWT's `exp`, in milliseconds. */
  readonly expiresAt: number
  readonly keys: IssuerKeys
  /** The version of `keys` that the signature was checked against. */
  readonly version: number
}

/** The most that remembered JWTs may take. */
export const MAX_CACHE_BYTES = 32 * 1024 * 1024
/** Longer ones are refused before anything is done with them. */
export const MAX_JWT_BYTES = 16 * 1024

const REMEMBERED_MS = 5 * 60_000

export interface VerifiedJwtCacheOptions {
  verify: (jwt: string) => Promise<VerifiedJwt>
  clock: Clock
  maxBytes?: number
}

/**
 * Remembers verified JWTs by their SHA-256, so that one seen before costs a hash and a look-up: for 5 minutes at most,
 * never past `exp` itself (the clock tolerance is `verify`'s alone), nor past a change of the keys that it was checked
 * against. The same Principal object is given each time. First calls at once with one JWT share one verification.
 * Refusals are not remembered. The memory belongs to what `verify` trusts: new rules need a new one.
 */
export function cacheVerifiedJwts({ verify, clock, maxBytes = MAX_CACHE_BYTES }: VerifiedJwtCacheOptions) {
  const memory = new LRUCache<string, VerifiedJwt & { readonly since: number }>({ maxSize: maxBytes })
  const flights = new Map<string, Promise<Principal>>()

  async function learn(jwt: string, hash: string): Promise<Principal> {
    const verified = await verify(jwt)
    memory.set(hash, { ...verified, since: clock.now() }, { size: sizeOf(jwt, verified.principal) })
    return verified.principal
  }

  return async function identify(jwt: string): Promise<Principal> {
    if (jwt.length > MAX_JWT_BYTES)
      throw unauthenticated(`the JWT is longer than the ${MAX_JWT_BYTES} bytes that are accepted`)
    const hash = sha256Hex(jwt)
    const known = memory.get(hash)
    const now = clock.now()
    if (known) {
      const { since, expiresAt, keys, version, principal } = known
      const isRecent = now >= since && now < since + REMEMBERED_MS
      if (isRecent && now < expiresAt && keys.version === version) return principal
      memory.delete(hash)
    }
    const flight = flights.get(hash) ?? learn(jwt, hash).finally(() => flights.delete(hash))
    flights.set(hash, flight)
    return flight
  }
}

/** Of the entry itself and of what the rules remember of a principal beside it. */
const ENTRY_BYTES = 6 * 1024
const VALUE_BYTES = 64

/** The JWT itself is not kept, but its claims are: measured, 1 to 2 times its length as text, and each value an object. */
function sizeOf(jwt: string, { claims }: Principal): number {
  return ENTRY_BYTES + 2 * jwt.length + VALUE_BYTES * valuesIn(claims)
}

function valuesIn(claim: Claim): number {
  if (typeof claim !== 'object' || claim === null) return 1
  return Object.values(claim).reduce<number>((sum, inner) => sum + valuesIn(inner), 1)
}
