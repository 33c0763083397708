import { exportJWK, generateKeyPair, generateSecret, type JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { discoverKeys, type IssuerKeys, pinKeys } from '../../src/authentication/issuer-keys.ts'
import type { Fetch } from '../../src/lib/fetch-json.ts'
import { refusal, startTestIssuer } from './support.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const header = (kid: string) => ({ alg: 'ES256', kid })
const known = header('key-1')
/** Whether a JWT with this `kid` finds its key. */
const hasKey = (keys: IssuerKeys, kid: string) =>
  keys.resolve(header(kid)).then(
    resolved => resolved.keys.length === 1,
    () => false,
  )

describe('discoverKeys', () => {
  test('fetches nothing until a key is needed, and then once for all callers', async () => {
    const { issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    expect(keys.version).toBeUndefined()
    expect(issuer.requests).toEqual({ discovery: 0, keys: 0 })
    await Promise.all(Array.from({ length: 200 }, () => keys.resolve(known)))
    expect(issuer.requests).toEqual({ discovery: 1, keys: 1 })
    expect(keys.version).toBe(1)
  })

  test('requests the document of an issuer with a path and a final slash as Discovery 4.1 says', async () => {
    const { keysOf } = await startTestIssuer()
    const requested: string[] = []
    const fetch: Fetch = async url => {
      requested.push(String(url))
      return Response.json({ issuer: 'https://a.example/b/', jwks_uri: 'https://a.example/k', keys: [] })
    }
    await keysOf('https://a.example/b/', fetch)
      .resolve(known)
      .catch(() => {})
    expect(requested).toEqual(['https://a.example/b/.well-known/openid-configuration', 'https://a.example/k'])
  })

  test('uses keys as they are for 5 minutes', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    await clock.advance(5 * MINUTE - 1)
    await keys.resolve(known)
    expect(issuer.requests.keys).toBe(1)
  })

  test('adds a refresh in the background to the background tasks, which Lambda waits for', async () => {
    const { clock, issuer, keysOf, backgroundTasks } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    await clock.advance(5 * MINUTE)
    await keys.resolve(known)
    await backgroundTasks.drain()
    expect(issuer.requests.keys).toBe(2)
  })

  test('does not count a fetch that a freeze cut short: the next request fetches again', async () => {
    const { clock: awakeClock, issuer, log, health, backgroundTasks } = await startTestIssuer()
    let frozenMs = 0
    const clock = {
      ...awakeClock,
      now: () => awakeClock.now() + frozenMs,
      sleepUntil: (ms: number, signal?: AbortSignal) => awakeClock.sleepUntil(ms - frozenMs, signal),
    }
    let isFrozen = false
    const never = new Promise<never>(() => {})
    const freezingFetch: Fetch = (url, init) => (isFrozen ? never : fetch(url, init))
    const keys = discoverKeys({
      issuerUrl: issuer.url,
      fetch: freezingFetch,
      clock,
      log,
      health,
      backgroundTasks,
    })
    await keys.resolve(known)
    await awakeClock.advance(6 * MINUTE)
    isFrozen = true
    await keys.resolve(known)
    frozenMs = 6 * MINUTE
    // thawed: the timeout is the first thing that happens
    await awakeClock.advance(5 * SECOND)
    expect(health.degraded()).toEqual([])
    isFrozen = false
    await issuer.rotate()
    expect(await hasKey(keys, 'key-1')).toBe(false)
  })

  test('refreshes in the background from 5 to 10 minutes: even an issuer that hangs delays nobody', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    await clock.advance(5 * MINUTE)
    issuer.fault = 'slow'
    expect(await hasKey(keys, 'key-1')).toBe(true)
    await expect.poll(() => issuer.requests.discovery).toBe(2)
    await clock.advance(5 * SECOND)

    issuer.fault = undefined
    await issuer.rotate()
    await clock.advance(30 * SECOND)
    expect(await hasKey(keys, 'key-1')).toBe(true)
    await expect.poll(() => keys.version).toBe(2)
    expect(await hasKey(keys, 'key-2')).toBe(true)
  })

  test('waits for the refresh from 10 minutes on, so that a withdrawn key is not accepted', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    await issuer.rotate()
    await clock.advance(10 * MINUTE)
    expect((await refusal(keys.resolve(known))).code).toBe('unauthenticated')
    expect(issuer.requests.keys).toBe(2)
  })

  test('keeps the version if a refresh brings the same keys, and changes it if not', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    await clock.advance(10 * MINUTE)
    await keys.resolve(known)
    expect(issuer.requests.keys).toBe(2)
    expect(keys.version).toBe(1)
    await issuer.rotate({ keepOld: true })
    await clock.advance(10 * MINUTE)
    expect((await keys.resolve(known)).version).toBe(2)
    expect(keys.version).toBe(2)
  })

  test('takes keys and their members in another order for the same keys', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    await issuer.rotate({ keepOld: true })
    const start = clock.now()
    const reversed = issuer.jwks().keys.map(key => Object.fromEntries(Object.entries(key).reverse()))
    const document = { issuer: issuer.url, jwks_uri: issuer.url, keys: reversed.reverse() }
    const fetch: Fetch = (...request) =>
      clock.now() > start ? Promise.resolve(Response.json(document)) : globalThis.fetch(...request)
    const keys = keysOf(issuer.url, fetch)
    await keys.resolve(known)
    await clock.advance(HOUR)
    await keys.resolve(known)
    expect(keys.version).toBe(1)
  })

  test('fetches again for an unknown kid, and finds a key that was published since', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    await issuer.rotate({ keepOld: true })
    await clock.advance(30 * SECOND)
    expect(await hasKey(keys, 'key-2')).toBe(true)
  })

  test('fetches a bounded number of times in a flood of unknown kids, and says 401 only if it knows', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    const codes: Record<string, number> = {}
    const waits = new Set<number | undefined>()
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < 20; i++) {
        const { code, retryAfterMs } = await refusal(keys.resolve(header(`random-${second}-${i}`)))
        codes[code] = (codes[code] ?? 0) + 1
        waits.add(retryAfterMs)
      }
      await clock.advance(SECOND)
    }
    // a burst of 5, of which the first use took one, and one back every 10 s
    expect(issuer.requests.keys).toBe(10)
    expect(codes).toEqual({ unauthenticated: 9, temporarily_unavailable: 60 * 20 - 9 })
    expect(Math.max(...[...waits].map(ms => ms ?? 0))).toBe(10 * SECOND)
  })

  test('fetches once for all unknown kids that arrive together, and refuses each for certain', async () => {
    const { issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    const errors = await Promise.all(
      Array.from({ length: 200 }, (_, i) => refusal(keys.resolve(header(`random-${i}`)))),
    )
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['unauthenticated']))
    expect(issuer.requests.keys).toBe(2)
  })

  test('lets nobody keep a rotation from being noticed for longer than Retry-After says', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    const drain = async () => {
      for (let i = 0; i < 20; i++) await refusal(keys.resolve(header(`random-${i}`)))
    }
    await drain()
    await issuer.rotate({ keepOld: true })
    const error = await refusal(keys.resolve(header('key-2')))
    expect(error).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 10 * SECOND })
    expect(error.reason).toBe(
      `none of the known keys of ${issuer.url} has signed this JWT, and they cannot be fetched again yet`,
    )
    await clock.advance(10 * SECOND)
    await drain()
    expect(await hasKey(keys, 'key-2')).toBe(true)
  })

  test('does not take a kid for absent because it was absent before', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    for (let i = 0; i < 5; i++)
      expect((await refusal(keys.resolve(header('key-2')))).code).toBe('unauthenticated')
    await issuer.rotate({ keepOld: true })
    expect((await refusal(keys.resolve(header('key-2')))).code).toBe('temporarily_unavailable')
    await clock.advance(10 * SECOND)
    expect(await hasKey(keys, 'key-2')).toBe(true)
  })

  test('does not take a fetch that began before a JWT arrived for an answer', async () => {
    const { issuer, keysOf } = await startTestIssuer()
    let answer = () => {}
    let isHeld = false
    const fetch: Fetch = async (...request) => {
      const response = await globalThis.fetch(...request)
      if (isHeld && String(request[0]).endsWith('keys.json'))
        await new Promise<void>(resolve => {
          answer = resolve
        })
      return response
    }
    const keys = keysOf(issuer.url, fetch)
    await keys.resolve(known)
    isHeld = true
    const earlier = refusal(keys.resolve(header('random')))
    await expect.poll(() => issuer.requests.keys).toBe(2)
    // the reply is on its way, and does not have this key
    await issuer.rotate({ keepOld: true })
    const later = hasKey(keys, 'key-2')
    isHeld = false
    answer()
    expect((await earlier).code).toBe('unauthenticated')
    expect(await later).toBe(true)
    expect(issuer.requests.keys).toBe(3)
  })

  test('backs off from an issuer that fails, keeps using the last good keys, and refuses nothing for certain', async () => {
    const { clock, issuer, health, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    issuer.fault = 'down'
    const waits: (number | undefined)[] = []
    for (let round = 2; round <= 7; round++) {
      for (let i = 0; i < 100; i++) {
        const error = await refusal(keys.resolve(header(`random-${i}`)))
        expect(error.code).toBe('temporarily_unavailable')
        if (i === 0) waits.push(error.retryAfterMs)
      }
      expect(issuer.requests.discovery).toBe(round)
      expect(await hasKey(keys, 'key-1')).toBe(true)
      await clock.advance(waits.at(-1) ?? 0)
    }
    expect(waits.map(ms => (ms ?? 0) / SECOND)).toEqual([2, 4, 8, 16, 30, 30])
    expect(health.degraded()).toEqual(['keys'])
    issuer.fault = undefined
    await issuer.rotate()
    expect(await hasKey(keys, 'key-2')).toBe(true)
    expect(health.degraded()).toEqual([])
  })

  test('fetches once per back-off from an issuer that was never reached, and says when to retry', async () => {
    const { clock, issuer, keysOf, health, log } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    issuer.fault = 'down'
    const first = await refusal(keys.resolve(known))
    expect(first).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: 2 * SECOND })
    await clock.advance(SECOND)
    const errors = await Promise.all(Array.from({ length: 50 }, () => refusal(keys.resolve(known))))
    for (const error of errors)
      expect(error).toMatchObject({ code: 'temporarily_unavailable', retryAfterMs: SECOND })
    expect(issuer.requests.discovery).toBe(1)
    expect(health.degraded()).toEqual(['keys'])
    expect(log.lines.join()).toContain(issuer.url)

    issuer.fault = undefined
    await clock.advance(SECOND)
    expect(await hasKey(keys, 'key-1')).toBe(true)
    expect(health.degraded()).toEqual([])
  })

  test('uses the last good keys for 24 hours after the last success, and no longer', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const keys = keysOf(issuer.url)
    await keys.resolve(known)
    issuer.fault = 'down'
    for (let hours = 1; hours < 24; hours++) {
      await clock.advance(HOUR)
      expect(await hasKey(keys, 'key-1')).toBe(true)
    }
    await clock.advance(HOUR - 1)
    expect(await hasKey(keys, 'key-1')).toBe(true)
    expect(keys.version).toBe(1)
    await clock.advance(1)
    expect(keys.version).toBeUndefined()
    expect(await refusal(keys.resolve(known))).toMatchObject({
      code: 'temporarily_unavailable',
      retryAfterMs: 30 * SECOND,
    })
    issuer.fault = undefined
    await clock.advance(30 * SECOND)
    expect(await hasKey(keys, 'key-1')).toBe(true)
  })

  test.each(['down', 'oversized', 'redirect', 'wrong-issuer', 'garbage'] as const)(
    'returns no keys of an issuer that is %s, and logs why in few words',
    async fault => {
      const { issuer, keysOf, log } = await startTestIssuer()
      issuer.fault = fault
      expect((await refusal(keysOf(issuer.url).resolve(known))).code).toBe('temporarily_unavailable')
      expect(issuer.requests.keys).toBe(0)
      expect(log.lines).toHaveLength(1)
      expect(log.lines[0]?.length).toBeLessThan(300)
    },
  )

  test('gives up on an issuer that hangs after 5 s', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    issuer.fault = 'slow'
    const error = refusal(keysOf(issuer.url).resolve(known))
    await clock.advance(5 * SECOND)
    expect((await error).code).toBe('temporarily_unavailable')
  })

  test.each([
    ['http://127.0.0.1:9464/metrics', 'without https'],
    ['http://169.254.169.254/latest/meta-data', 'without https'],
    ['file:///etc/passwd', 'without https'],
    [undefined, 'no jwks_uri'],
    [{ href: 'https://a.example' }, 'no jwks_uri'],
  ])('does not follow a discovery document to %j', async (jwks_uri, reason) => {
    const { keysOf, log } = await startTestIssuer()
    const requested: string[] = []
    const fetch: Fetch = async url => {
      requested.push(String(url))
      return Response.json({ issuer: 'https://a.example', jwks_uri, keys: [] })
    }
    const error = await refusal(keysOf('https://a.example', fetch).resolve(known))
    expect(error.code).toBe('temporarily_unavailable')
    expect(requested).toHaveLength(1)
    expect(log.lines.join()).toContain(reason)
  })

  test('keeps the last good keys if the document is not a key set', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const fetch: Fetch = (...request) =>
      clock.now() > start
        ? Promise.resolve(Response.json({ issuer: issuer.url, jwks_uri: issuer.url }))
        : globalThis.fetch(...request)
    const start = clock.now()
    const keys = keysOf(issuer.url, fetch)
    await keys.resolve(known)
    await clock.advance(HOUR)
    expect(await hasKey(keys, 'key-1')).toBe(true)
    expect(keys.version).toBe(1)
  })

  test('accepts no key of an issuer that has withdrawn all of them', async () => {
    const { clock, issuer, keysOf } = await startTestIssuer()
    const start = clock.now()
    const fetch: Fetch = (...request) =>
      clock.now() > start
        ? Promise.resolve(Response.json({ issuer: issuer.url, jwks_uri: issuer.url, keys: [] }))
        : globalThis.fetch(...request)
    const keys = keysOf(issuer.url, fetch)
    await keys.resolve(known)
    await clock.advance(HOUR)
    expect((await refusal(keys.resolve(known))).code).toBe('unauthenticated')
  })
})

describe('a hostile key set', () => {
  async function keysFrom(document: string) {
    const { keysOf, log } = await startTestIssuer()
    const url = 'https://hostile.example'
    const fetch: Fetch = async target =>
      String(target).endsWith('/keys')
        ? new Response(document)
        : Response.json({ issuer: url, jwks_uri: `${url}/keys` })
    return { keys: keysOf(url, fetch), log }
  }
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  test.each([9, 3000, 100_000])('nested %i deep is a failure to fetch, not an overflow', async levels => {
    const { keys, log } = await keysFrom(`{"keys":[{"kty":"EC","deep":${nested(levels)}}]}`)
    const error = await refusal(keys.resolve(known))
    expect(error.code).toBe('temporarily_unavailable')
    expect(log.lines.join()).toContain('the key set is nested too deep')
  })

  test('has RSA keys that are slow to verify with, or that everybody can sign with', async () => {
    const { n, e, kty } = await exportJWK((await generateKeyPair('RS256')).publicKey)
    const long = { kty, e, n: Buffer.alloc(1025, 0xff).toString('base64url') }
    const keys = [
      { kty, n, e, kid: 'good' },
      { ...long, kid: 'long' },
      { kty, n, e: n, kid: 'slow' },
      { kty, n, e: 'AQ', kid: 'one' },
    ]
    const hostile = await keysFrom(JSON.stringify({ keys }))
    const find = (kid: string) => hostile.keys.resolve({ alg: 'RS256', kid })
    expect((await find('good')).keys).toHaveLength(1)
    for (const kid of ['long', 'slow', 'one'])
      expect((await refusal(find(kid))).code, kid).toBe('unauthenticated')
    expect((await hostile.keys.resolve({ alg: 'RS256' })).keys).toHaveLength(1)
  })

  test('has thousands of keys: 16 of them are tried for a JWT without kid', async () => {
    const jwk = await exportJWK((await generateKeyPair('ES256')).publicKey)
    const { keys } = await keysFrom(JSON.stringify({ keys: Array(1000).fill(jwk) }))
    expect((await keys.resolve({ alg: 'ES256' })).keys).toHaveLength(16)
  })

  test('has private and symmetric keys, which are not used', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const secret = await exportJWK(await generateSecret('HS256', { extractable: true }))
    const { keys } = await keysFrom(
      JSON.stringify({
        keys: [
          { ...(await exportJWK(privateKey)), kid: 'private' },
          { ...secret, kid: 'secret' },
        ],
      }),
    )
    for (const header of [
      { alg: 'ES256', kid: 'private' },
      { alg: 'HS256', kid: 'secret' },
    ])
      expect((await refusal(keys.resolve(header))).code).toBe('unauthenticated')
  })
})

describe('pinKeys', () => {
  const publicKey = async (alg = 'ES256'): Promise<JWK> => exportJWK((await generateKeyPair(alg)).publicKey)

  test('finds keys by kid, and several for a header without one', async () => {
    const [a, b] = [await publicKey(), await publicKey()]
    const keys = pinKeys({
      keys: [
        { ...a, kid: 'a' },
        { ...b, kid: 'b' },
      ],
    })
    expect((await keys.resolve({ alg: 'ES256', kid: 'b' })).keys).toHaveLength(1)
    expect((await keys.resolve({ alg: 'ES256' })).keys).toHaveLength(2)
    expect((await refusal(keys.resolve({ alg: 'ES256', kid: 'c' }))).code).toBe('unauthenticated')
    expect((await refusal(keys.resolve({ alg: 'RS256', kid: 'a' }))).code).toBe('unauthenticated')
    expect((await refusal(keys.resolve({ alg: 'HS256' }))).code).toBe('unauthenticated')
  })

  test('keeps its keys when the caller changes the object afterwards', async () => {
    const jwks = { keys: [{ ...(await publicKey()), kid: 'a' }] }
    const keys = pinKeys(jwks)
    jwks.keys.length = 0
    expect(await hasKey(keys, 'a')).toBe(true)
  })

  test('refuses a private or symmetric key without quoting it', async () => {
    for (const alg of ['ES256', 'EdDSA', 'RS256']) {
      const { privateKey } = await generateKeyPair(alg, { extractable: true })
      const jwk = await exportJWK(privateKey)
      const error = thrownBy(() => pinKeys({ keys: [jwk] }))
      expect(error).toMatch(/^keys\.0 holds a private key/)
      expect(error).not.toContain(jwk.d)
    }
    const secret = await exportJWK(await generateSecret('HS256', { extractable: true }))
    const error = thrownBy(() => pinKeys({ keys: [secret] }))
    expect(error).toMatch(/^keys\.0 is a symmetric key/)
    expect(error).not.toContain(secret.k)
  })

  test.each([
    undefined,
    null,
    7,
    'text',
    [],
    {},
    { keys: {} },
    { keys: [] },
    { keys: [7] },
    { keys: [null] },
  ])('refuses %j, which is not a key set', value => {
    expect(thrownBy(() => pinKeys(value))).toMatch(/^(is not|has no|keys\.0 is not)/)
  })

  test('verifies nothing with an RSA key of 1024 bits', async () => {
    const weak = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(128, 0xc1).toString('base64url'), kid: 'weak' }
    await expect(pinKeys({ keys: [weak] }).resolve({ alg: 'RS256', kid: 'weak' })).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })
})

function thrownBy(run: () => unknown): string {
  try {
    run()
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
  throw new Error('nothing was thrown')
}
