import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IssuerKeys } from '../../src/authentication/issuer-keys.ts'
import { createJwtScheme } from '../../src/authentication/jwt.ts'
import { unauthenticated } from '../../src/authentication/unauthenticated.ts'
import {
  cacheVerifiedJwts,
  MAX_CACHE_BYTES,
  MAX_JWT_BYTES,
  type VerifiedJwt,
} from '../../src/authentication/verified-jwt-cache.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { issuerWorld, refusal } from './support.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** A verifier that takes everything but `bad…`, and counts. */
function world({ livesMs = HOUR, maxBytes = MAX_CACHE_BYTES } = {}) {
  const clock = virtualClock()
  const keys = {
    version: 1 as number | undefined,
    resolve: () => Promise.reject(new Error('not asked here')),
  }
  const exp = clock.now() + livesMs
  const asked: string[] = []
  const verify = async (jwt: string): Promise<VerifiedJwt> => {
    asked.push(jwt)
    if (jwt.startsWith('bad')) throw unauthenticated('bad')
    const { version } = keys satisfies IssuerKeys
    const principal = { issuer: 'a', subject: jwt, claims: {} }
    return { principal, expiresAt: exp, keys, version: version ?? 0 }
  }
  return { clock, keys, asked, identify: cacheVerifiedJwts({ verify, clock, maxBytes }) }
}

test('a JWT seen before is not verified again, and gives the same principal', async () => {
  const { asked, identify } = world()
  const first = await identify('jwt')
  expect(await identify('jwt')).toBe(first)
  expect(await identify('jwt')).toBe(first)
  expect(asked).toEqual(['jwt'])
})

test('for 5 minutes, however often it is used meanwhile', async () => {
  const { clock, asked, identify } = world()
  await identify('jwt')
  for (let i = 0; i < 4; i++) {
    await clock.advance(MINUTE)
    await identify('jwt')
  }
  await clock.advance(MINUTE - 1)
  await identify('jwt')
  expect(asked).toHaveLength(1)
  await clock.advance(1)
  await identify('jwt')
  expect(asked).toHaveLength(2)
})

test('never past its exp: no tolerance there', async () => {
  const { clock, asked, identify } = world({ livesMs: 90 * SECOND })
  await identify('jwt')
  await clock.advance(90 * SECOND - 1)
  await identify('jwt')
  expect(asked).toHaveLength(1)
  await clock.advance(1)
  await identify('jwt')
  await identify('jwt')
  expect(asked).toHaveLength(3)
})

test('nor past a change of its keys, nor while there are none to use', async () => {
  const { keys, asked, identify } = world()
  await identify('jwt')
  keys.version = 2
  await identify('jwt')
  await identify('jwt')
  expect(asked).toHaveLength(2)
  keys.version = undefined
  await identify('jwt')
  expect(asked).toHaveLength(3)
})

test('a clock that is put back does not stretch it', async () => {
  const clock = virtualClock()
  let backMs = 0
  let verified = 0
  const keys: IssuerKeys = { version: 1, resolve: () => Promise.reject(new Error('not asked here')) }
  const identify = cacheVerifiedJwts({
    clock: { ...clock, now: () => clock.now() - backMs },
    verify: async () => {
      verified++
      return { principal: { issuer: 'a', subject: 'b', claims: {} }, expiresAt: 1e15, keys, version: 1 }
    },
  })
  await identify('jwt')
  backMs = 1
  await identify('jwt')
  expect(verified).toBe(2)
})

test('first calls at once share one verification, its refusal too', async () => {
  const { asked, identify } = world()
  const principals = await Promise.all(Array.from({ length: 100 }, () => identify('jwt')))
  expect(new Set(principals).size).toBe(1)
  expect(asked).toEqual(['jwt'])
  const errors = await Promise.all(Array.from({ length: 100 }, () => refusal(identify('bad'))))
  expect(errors).toHaveLength(100)
  expect(asked).toEqual(['jwt', 'bad'])
})

test('a refusal is not remembered', async () => {
  const { asked, identify } = world()
  await refusal(identify('bad'))
  await refusal(identify('bad'))
  expect(asked).toEqual(['bad', 'bad'])
})

test('what is longer than 16 KiB is refused before anything', async () => {
  const { asked, identify } = world()
  await identify('x'.repeat(MAX_JWT_BYTES))
  const error = await refusal(identify('x'.repeat(MAX_JWT_BYTES + 1)))
  expect(error.code).toBe('unauthenticated')
  expect(error.message.length).toBeLessThan(100)
  expect(asked).toHaveLength(1)
})

test('memory is bounded in bytes: of 10,000 JWTs the latest that fit are kept', async () => {
  const maxBytes = 1024 * 1024
  const { asked, identify } = world({ maxBytes })
  const jwts = Array.from({ length: 10_000 }, (_, i) => `${i}`.padEnd(1000, 'x'))
  for (const jwt of jwts) await identify(jwt)
  // the claims of these are one empty object
  const fitting = Math.floor(maxBytes / (6144 + 2 * 1000 + 64))
  for (const jwt of jwts.slice(-fitting).reverse()) await identify(jwt)
  expect(asked).toHaveLength(10_000)
  for (const jwt of jwts.slice(0, -fitting)) await identify(jwt)
  expect(asked).toHaveLength(10_000 + 10_000 - fitting)
})

test('a JWT whose few bytes become many objects is charged for them', async () => {
  const asked: string[] = []
  const clock = virtualClock()
  const keys = { version: 1, resolve: () => Promise.reject(new Error('not asked here')) }
  const claims = { many: Array.from({ length: 5000 }, () => ({})) }
  const verify = async (jwt: string): Promise<VerifiedJwt> => {
    asked.push(jwt)
    return {
      principal: { issuer: 'a', subject: jwt, claims },
      expiresAt: clock.now() + HOUR,
      keys,
      version: 1,
    }
  }
  const identify = cacheVerifiedJwts({ verify, clock, maxBytes: 1024 * 1024 })
  for (const jwt of ['a', 'b', 'c', 'd']) await identify(jwt)
  await identify('a')
  expect(asked).toEqual(['a', 'b', 'c', 'd', 'a'])
})

test('whatever happens in whatever order, nothing is given that verification would not give', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('use' as const), jwt: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ kind: fc.constant('rotate' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const { clock, keys, asked, identify } = world({ livesMs: 1000 * SECOND })
      const exp = clock.now() + 1000 * SECOND
      const model = new Map<string, { until: number; version: number }>()
      let version = 1
      let verified = 0
      for (const next of steps) {
        if (next.kind === 'wait') await clock.advance(next.seconds * SECOND)
        else if (next.kind === 'rotate') keys.version = ++version
        else {
          const known = model.get(next.jwt)
          if (!known || known.version !== version || clock.now() >= known.until) {
            verified++
            model.set(next.jwt, { until: Math.min(exp, clock.now() + 5 * MINUTE), version })
          }
          expect((await identify(next.jwt)).subject).toBe(next.jwt)
          expect(asked).toHaveLength(verified)
        }
      }
    }),
    { numRuns: 60 },
  )
})

describe('with real JWTs', () => {
  async function real() {
    const parts = await issuerWorld()
    const { issuer, clock, keysOf } = parts
    const keys = keysOf(issuer.url)
    const trusted = { name: 'github', issuer: issuer.url, audience: 'jeton', keys }
    return { ...parts, keys, trusted, oidc: createJwtScheme({ issuers: [trusted], clock }) }
  }

  test('one of a withdrawn key dies as soon as the set is refreshed, by whomever', async () => {
    const { issuer, clock, oidc } = await real()
    const old = await issuer.sign()
    const principal = await oidc.authenticate(old)
    await issuer.rotate()
    await clock.advance(40 * SECOND)
    expect(await oidc.authenticate(old)).toBe(principal)
    await oidc.authenticate(await issuer.sign())
    expect((await refusal(oidc.authenticate(old))).code).toBe('unauthenticated')
  })

  test('a refresh that brings the same keys forgets nothing', async () => {
    const { issuer, clock, oidc } = await real()
    const jwt = await issuer.sign({}, { expiresInSeconds: 3600 })
    const principal = await oidc.authenticate(jwt)
    await clock.advance(40 * SECOND)
    await refusal(oidc.authenticate(await issuer.sign({}, { header: { kid: 'unknown' } })))
    expect(issuer.requests.keys).toBe(2)
    expect(await oidc.authenticate(jwt)).toBe(principal)
  })

  test('one that lives on the clock tolerance is verified each time', async () => {
    const { issuer, oidc } = await real()
    const jwt = await issuer.sign({}, { expiresInSeconds: -30 })
    expect(await oidc.authenticate(jwt)).not.toBe(await oidc.authenticate(jwt))
  })

  test('new rules remember nothing of the old ones', async () => {
    const { issuer, clock, trusted, oidc } = await real()
    const jwt = await issuer.sign()
    await oidc.authenticate(jwt)
    const stricter = createJwtScheme({ issuers: [{ ...trusted, audience: 'elsewhere' }], clock })
    expect((await refusal(stricter.authenticate(jwt))).code).toBe('unauthenticated')
  })
})
