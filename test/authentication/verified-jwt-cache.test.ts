import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IssuerKeys } from '../../src/authentication/issuer-keys.ts'
import { createJwtScheme } from '../../src/authentication/jwt.ts'
import type { Principal } from '../../src/authentication/principal.ts'
import { unauthenticated } from '../../src/authentication/unauthenticated.ts'
import {
  cacheVerifiedJwts,
  MAX_JWT_BYTES,
  type VerifiedJwt,
  type VerifiedJwtCacheOptions,
} from '../../src/authentication/verified-jwt-cache.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { refusal, startTestIssuer } from './support.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The cache of a verifier that accepts everything but `bad…`; `verified` has the JWTs that it was called with. */
function startCache({
  livesMs = HOUR,
  ...options
}: { livesMs?: number } & Pick<VerifiedJwtCacheOptions, 'maxBytes' | 'extraBytesOf'> = {}) {
  const clock = virtualClock()
  const keys = {
    version: 1 as number | undefined,
    resolve: () => Promise.reject(new Error('the cache resolves no keys')),
  }
  const exp = clock.now() + livesMs
  const verified: string[] = []
  const verify = async (jwt: string): Promise<VerifiedJwt> => {
    verified.push(jwt)
    if (jwt.startsWith('bad')) throw unauthenticated('bad')
    const { version } = keys satisfies IssuerKeys
    const principal = { issuer: 'a', subject: jwt, claims: {} }
    return { principal, expiresAt: exp, keys, version: version ?? 0 }
  }
  return { clock, keys, verified, ...cacheVerifiedJwts({ verify, clock, ...options }) }
}

test('cacheVerifiedJwts verifies a JWT once, and returns the same principal again', async () => {
  const { verified, authenticate } = startCache()
  const first = await authenticate('jwt')
  expect(await authenticate('jwt')).toBe(first)
  expect(await authenticate('jwt')).toBe(first)
  expect(verified).toEqual(['jwt'])
})

test('cacheVerifiedJwts verifies again after 5 minutes, however often the JWT is used meanwhile', async () => {
  const { clock, verified, authenticate } = startCache()
  await authenticate('jwt')
  for (let i = 0; i < 4; i++) {
    await clock.advance(MINUTE)
    await authenticate('jwt')
  }
  await clock.advance(MINUTE - 1)
  await authenticate('jwt')
  expect(verified).toHaveLength(1)
  await clock.advance(1)
  await authenticate('jwt')
  expect(verified).toHaveLength(2)
})

test('cacheVerifiedJwts uses no entry past its exp, without any tolerance', async () => {
  const { clock, verified, authenticate } = startCache({ livesMs: 90 * SECOND })
  await authenticate('jwt')
  await clock.advance(90 * SECOND - 1)
  await authenticate('jwt')
  expect(verified).toHaveLength(1)
  await clock.advance(1)
  await authenticate('jwt')
  await authenticate('jwt')
  expect(verified).toHaveLength(3)
})

test('cacheVerifiedJwts uses no entry after its keys have changed, nor while there are none', async () => {
  const { keys, verified, authenticate } = startCache()
  await authenticate('jwt')
  keys.version = 2
  await authenticate('jwt')
  await authenticate('jwt')
  expect(verified).toHaveLength(2)
  keys.version = undefined
  await authenticate('jwt')
  expect(verified).toHaveLength(3)
})

test('cacheVerifiedJwts verifies again when the clock was put back', async () => {
  const clock = virtualClock()
  let backMs = 0
  let verifications = 0
  const keys: IssuerKeys = {
    version: 1,
    resolve: () => Promise.reject(new Error('the cache resolves no keys')),
  }
  const { authenticate } = cacheVerifiedJwts({
    clock: { ...clock, now: () => clock.now() - backMs },
    verify: async () => {
      verifications++
      return { principal: { issuer: 'a', subject: 'b', claims: {} }, expiresAt: 1e15, keys, version: 1 }
    },
  })
  await authenticate('jwt')
  backMs = 1
  await authenticate('jwt')
  expect(verifications).toBe(2)
})

test('cacheVerifiedJwts verifies again if the keys changed while it verified', async () => {
  const clock = virtualClock()
  const keys = { version: 1, resolve: () => Promise.reject(new Error('the cache resolves no keys')) }
  const triedVersions: number[] = []
  const { authenticate, recall } = cacheVerifiedJwts({
    clock,
    verify: async () => {
      const { version } = keys
      triedVersions.push(version)
      keys.version = 2
      const principal = { issuer: 'a', subject: 'b', claims: {} }
      return { principal, expiresAt: clock.now() + HOUR, keys, version }
    },
  })
  await authenticate('jwt')
  expect(recall('jwt')).toBeUndefined()
  const principal = await authenticate('jwt')
  expect(recall('jwt')).toBe(principal)
  expect(triedVersions).toEqual([1, 2])
})

test('cacheVerifiedJwts verifies once for concurrent first calls, which share a refusal too', async () => {
  const { verified, authenticate } = startCache()
  const principals = await Promise.all(Array.from({ length: 100 }, () => authenticate('jwt')))
  expect(new Set(principals).size).toBe(1)
  expect(verified).toEqual(['jwt'])
  const errors = await Promise.all(Array.from({ length: 100 }, () => refusal(authenticate('bad'))))
  expect(errors).toHaveLength(100)
  expect(verified).toEqual(['jwt', 'bad'])
})

test('cacheVerifiedJwts does not cache a refusal', async () => {
  const { verified, authenticate } = startCache()
  await refusal(authenticate('bad'))
  await refusal(authenticate('bad'))
  expect(verified).toEqual(['bad', 'bad'])
})

test('cacheVerifiedJwts refuses a JWT of more than 16 KiB without verifying it', async () => {
  const { verified, authenticate } = startCache()
  await authenticate('x'.repeat(MAX_JWT_BYTES))
  const error = await refusal(authenticate('x'.repeat(MAX_JWT_BYTES + 1)))
  expect(error.code).toBe('unauthenticated')
  expect(error.message.length).toBeLessThan(100)
  expect(verified).toHaveLength(1)
})

test('recall throws for no JWT, whatever its length, and verifies none', () => {
  const { verified, recall } = startCache()
  expect(['', 'jwt', 'bad', 'x'.repeat(MAX_JWT_BYTES + 1)].map(recall)).toEqual(Array(4).fill(undefined))
  expect(verified).toEqual([])
})

test('cacheVerifiedJwts keeps the latest of 10,000 JWTs that fit into its memory', async () => {
  const maxBytes = 1024 * 1024
  const { verified, authenticate } = startCache({ maxBytes })
  const jwts = Array.from({ length: 10_000 }, (_, i) => `${i}`.padEnd(1000, 'x'))
  for (const jwt of jwts) await authenticate(jwt)
  // the claims of these are one empty object
  const fitting = Math.floor(maxBytes / (6144 + 2 * 1000 + 64))
  for (const jwt of jwts.slice(-fitting).reverse()) await authenticate(jwt)
  expect(verified).toHaveLength(10_000)
  for (const jwt of jwts.slice(0, -fitting)) await authenticate(jwt)
  expect(verified).toHaveLength(10_000 + 10_000 - fitting)
})

test('cacheVerifiedJwts counts the many objects that a few bytes of claims can become', async () => {
  const verified: string[] = []
  const clock = virtualClock()
  const keys = { version: 1, resolve: () => Promise.reject(new Error('the cache resolves no keys')) }
  const claims = { many: Array.from({ length: 5000 }, () => ({})) }
  const verify = async (jwt: string): Promise<VerifiedJwt> => {
    verified.push(jwt)
    return {
      principal: { issuer: 'a', subject: jwt, claims },
      expiresAt: clock.now() + HOUR,
      keys,
      version: 1,
    }
  }
  const { authenticate } = cacheVerifiedJwts({ verify, clock, maxBytes: 1024 * 1024 })
  for (const jwt of ['a', 'b', 'c', 'd']) await authenticate(jwt)
  await authenticate('a')
  expect(verified).toEqual(['a', 'b', 'c', 'd', 'a'])
})

test('cacheVerifiedJwts counts what is kept for a principal besides', async () => {
  const extraBytesOf = ({ subject }: Principal) => (subject === 'large' ? 500 * 1024 : 0)
  const { verified, authenticate } = startCache({ maxBytes: 512 * 1024, extraBytesOf })
  for (const jwt of ['a', 'b', 'a', 'large', 'a']) await authenticate(jwt)
  expect(verified).toEqual(['a', 'b', 'large', 'a'])
})

test('cacheVerifiedJwts returns what verification would, whatever happens in whatever order', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('use' as const), jwt: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ kind: fc.constant('rotate' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const { clock, keys, verified, authenticate, recall } = startCache({ livesMs: 1000 * SECOND })
      const exp = clock.now() + 1000 * SECOND
      const model = new Map<string, { until: number; version: number }>()
      let version = 1
      let verifications = 0
      for (const next of steps) {
        if (next.kind === 'wait') await clock.advance(next.seconds * SECOND)
        else if (next.kind === 'rotate') keys.version = ++version
        else {
          const known = model.get(next.jwt)
          const isKnown = known && known.version === version && clock.now() < known.until
          const recalled = recall(next.jwt)
          expect(recalled?.subject).toBe(isKnown ? next.jwt : undefined)
          if (!isKnown) {
            verifications++
            model.set(next.jwt, { until: Math.min(exp, clock.now() + 5 * MINUTE), version })
          }
          const principal = await authenticate(next.jwt)
          expect(principal.subject).toBe(next.jwt)
          if (recalled) expect(recalled).toBe(principal)
          expect(verified).toHaveLength(verifications)
        }
      }
    }),
    { numRuns: 60 },
  )
})

describe('cacheVerifiedJwts, with real JWTs,', () => {
  async function startScheme() {
    const parts = await startTestIssuer()
    const { issuer, clock, keysOf } = parts
    const keys = keysOf(issuer.url)
    const trusted = { name: 'github', issuer: issuer.url, audience: 'jeton', keys }
    return { ...parts, keys, trusted, scheme: createJwtScheme({ issuers: [trusted], clock }) }
  }

  test('drops one of a withdrawn key as soon as any request refreshes the keys', async () => {
    const { issuer, clock, scheme } = await startScheme()
    const old = await issuer.sign()
    const principal = await scheme.authenticate(old)
    await issuer.rotate()
    await clock.advance(40 * SECOND)
    expect(await scheme.authenticate(old)).toBe(principal)
    await scheme.authenticate(await issuer.sign())
    expect((await refusal(scheme.authenticate(old))).code).toBe('unauthenticated')
  })

  test('keeps its entries when a refresh brings the same keys', async () => {
    const { issuer, clock, scheme } = await startScheme()
    const jwt = await issuer.sign({}, { expiresInSeconds: 3600 })
    const principal = await scheme.authenticate(jwt)
    await clock.advance(40 * SECOND)
    await refusal(scheme.authenticate(await issuer.sign({}, { header: { kid: 'unknown' } })))
    expect(issuer.requests.keys).toBe(2)
    expect(await scheme.authenticate(jwt)).toBe(principal)
  })

  test('verifies one that lives on the clock tolerance each time', async () => {
    const { issuer, scheme } = await startScheme()
    const jwt = await issuer.sign({}, { expiresInSeconds: -30 })
    expect(await scheme.authenticate(jwt)).not.toBe(await scheme.authenticate(jwt))
  })

  test('uses no entry of another scheme', async () => {
    const { issuer, clock, trusted, scheme } = await startScheme()
    const jwt = await issuer.sign()
    await scheme.authenticate(jwt)
    const stricter = createJwtScheme({ issuers: [{ ...trusted, audience: 'elsewhere' }], clock })
    expect((await refusal(stricter.authenticate(jwt))).code).toBe('unauthenticated')
  })
})
