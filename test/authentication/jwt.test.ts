import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { pinKeys } from '../../src/authentication/issuer-keys.ts'
import { createJwtScheme } from '../../src/authentication/jwt.ts'
import type { Fetch } from '../../src/lib/fetch-json.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { refusal, startTestIssuer } from './support.ts'

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A scheme that trusts one issuer, named github. */
async function startScheme(options: Parameters<typeof startTestIssuer>[0] = {}) {
  const parts = await startTestIssuer(options)
  const { issuer, clock, keysOf } = parts
  const github = { name: 'github', issuer: issuer.url, audience: 'jeton', keys: keysOf(issuer.url) }
  return { ...parts, github, scheme: createJwtScheme({ issuers: [github], clock }) }
}

describe('createJwtScheme accepts', () => {
  test.each(['ES256', 'RS256', 'EdDSA'] as const)(
    'a JWT signed with %s, and returns all of its claims',
    async algorithm => {
      const { issuer, scheme } = await startScheme({ algorithm })
      const claims = { sub: 'repo:o/r', repository_id: '123', nested: { list: [1, null, true] } }
      const principal = await scheme.authenticate(await issuer.sign(claims))
      expect(principal).toMatchObject({ issuer: 'github', subject: 'repo:o/r', claims })
      expect(Object.keys(principal.claims).sort()).toEqual(
        ['iss', 'aud', 'sub', 'iat', 'exp', 'repository_id', 'nested'].sort(),
      )
    },
  )

  test('a list of audiences with its own among them', async () => {
    const { issuer, scheme } = await startScheme()
    await scheme.authenticate(await issuer.sign({ aud: ['other', 'jeton'] }))
  })

  test('any of the audiences of an issuer that has several, and no other', async () => {
    const { issuer, clock, github } = await startScheme()
    const several = { ...github, audience: ['jeton', 'api://AzureADTokenExchange'] }
    const scheme = createJwtScheme({ issuers: [several], clock })
    for (const aud of ['jeton', 'api://AzureADTokenExchange', ['other', 'jeton']])
      await scheme.authenticate(await issuer.sign({ aud }))
    for (const aud of ['jeton,api://AzureADTokenExchange', ['other'], [['jeton']], 'api'])
      expect((await refusal(scheme.authenticate(await issuer.sign({ aud })))).publicMessage).toBe(
        'the audience of the JWT is not "jeton" or "api://AzureADTokenExchange"',
      )
  })

  test('clocks that disagree by up to 60 s, both ways', async () => {
    const { issuer, scheme, clock } = await startScheme()
    const seconds = clock.now() / 1000
    await scheme.authenticate(await issuer.sign({}, { expiresInSeconds: -59 }))
    await scheme.authenticate(await issuer.sign({ nbf: seconds + 60 }))
  })

  test('a JWT without kid, signed with any of the issuer’s keys', async () => {
    const { issuer, scheme } = await startScheme()
    const withOld = await issuer.sign({}, { header: { kid: undefined } })
    await issuer.rotate({ keepOld: true })
    const withNew = await issuer.sign({}, { header: { kid: undefined } })
    await scheme.authenticate(withNew)
    await scheme.authenticate(withOld)
    const foreignIssuer = await startIssuer()
    const forged = await foreignIssuer.sign({ iss: issuer.url }, { header: { kid: undefined } })
    await foreignIssuer.close()
    expect((await refusal(scheme.authenticate(forged))).publicMessage).toContain('signature')
  })
})

describe('createJwtScheme notices that an issuer has changed its key', () => {
  test('if the new one has the kid of the old one', async () => {
    const { issuer, scheme } = await startScheme()
    await scheme.authenticate(await issuer.sign())
    await issuer.rotate({ kid: 'key-1' })
    expect((await scheme.authenticate(await issuer.sign({ sub: 'new' }))).subject).toBe('new')
  })

  test('for all JWTs that arrive together', async () => {
    const { issuer, scheme } = await startScheme()
    await scheme.authenticate(await issuer.sign())
    await issuer.rotate({ kid: 'key-1' })
    const jwts = await Promise.all(Array.from({ length: 20 }, (_, i) => issuer.sign({ sub: `new-${i}` })))
    const subjects = await Promise.all(jwts.map(async jwt => (await scheme.authenticate(jwt)).subject))
    expect(subjects).toEqual(Array.from({ length: 20 }, (_, i) => `new-${i}`))
    expect(issuer.requests.keys).toBe(2)
  })

  test('if it has no kid', async () => {
    const { issuer, scheme } = await startScheme()
    const sign = (sub: string) => issuer.sign({ sub }, { header: { kid: undefined } })
    await scheme.authenticate(await sign('old'))
    await issuer.rotate()
    expect((await scheme.authenticate(await sign('new'))).subject).toBe('new')
  })

  test('and fetches no more than twice in half a minute for forged signatures, which get 401', async () => {
    const { issuer, scheme, clock } = await startScheme()
    await scheme.authenticate(await issuer.sign())
    const foreign = await startIssuer({ now: clock.now })
    for (let i = 0; i < 50; i++) {
      const error = await refusal(scheme.authenticate(await foreign.sign({ iss: issuer.url, jti: i })))
      expect(error.code).toBe('unauthenticated')
      expect(error.reason).toBe('issuer github: the signature of the JWT does not verify')
    }
    await foreign.close()
    expect(issuer.requests.keys).toBe(3)
    // what is left of the quota is for keys that are not known
    await issuer.rotate({ keepOld: true })
    expect((await scheme.authenticate(await issuer.sign({ sub: 'new' }))).subject).toBe('new')
  })

  test('with one fetch, even if several issuers of one URL have the same keys', async () => {
    const { issuer, github, clock } = await startScheme()
    const issuers = ['one', 'two', 'jeton'].map(audience => ({ ...github, name: audience, audience }))
    const scheme = createJwtScheme({ issuers, clock })
    await scheme.authenticate(await issuer.sign())
    await issuer.rotate({ kid: 'key-1' })
    expect((await scheme.authenticate(await issuer.sign({ sub: 'new' }))).issuer).toBe('jeton')
    expect(issuer.requests.keys).toBe(2)
  })
})

describe('createJwtScheme refuses', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['another audience', { aud: 'sts.amazonaws.com' }, 'the audience of the JWT is not "jeton"'],
    ['no audience', { aud: undefined }, 'the JWT has no "aud" claim'],
    ['an audience that merely begins alike', { aud: 'jeton2' }, 'audience'],
    ['no subject', { sub: undefined }, 'the JWT has no "sub" claim'],
    ['an empty subject', { sub: '' }, 'the "sub" claim of the JWT is not valid'],
    ['a subject that is not text', { sub: 7 }, 'the "sub" claim of the JWT is not valid'],
    ['no expiry', { exp: undefined }, 'the JWT has no "exp" claim'],
    ['an expiry that is not a number', { exp: '9999999999' }, 'the "exp" claim of the JWT is not valid'],
    ['no issuer', { iss: undefined }, 'the JWT has no "iss" claim'],
    ['an issuer that is not text', { iss: ['x'] }, 'the JWT has no "iss" claim'],
  ])('%s', async (_flaw, claims, message) => {
    const { issuer, scheme } = await startScheme()
    const error = await refusal(scheme.authenticate(await issuer.sign(claims)))
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toContain(message)
  })

  test('a JWT that expired beyond the tolerance, and says when', async () => {
    const { issuer, scheme } = await startScheme()
    const error = await refusal(scheme.authenticate(await issuer.sign({}, { expiresInSeconds: -60 })))
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toBe('the JWT expired at 2026-11-23T09:59:00.000Z')
    expect(error.reason).toBe('issuer github: the JWT expired at 2026-11-23T09:59:00.000Z')
  })

  test('an expiry that no date can hold', async () => {
    const { issuer, scheme } = await startScheme()
    const error = await refusal(scheme.authenticate(await issuer.sign({ exp: -1e300 })))
    expect(error.publicMessage).toBe('the JWT expired')
  })

  test('a JWT that is not valid yet, and says from when on', async () => {
    const { issuer, scheme, clock } = await startScheme()
    const error = await refusal(scheme.authenticate(await issuer.sign({ nbf: clock.now() / 1000 + 61 })))
    expect(error.publicMessage).toBe('the JWT is not valid yet: not before 2026-11-23T10:01:01.000Z')
  })

  test('an extension in crit that it does not support', async () => {
    const { issuer, scheme } = await startScheme()
    const jwt = await issuer.sign({}, { header: { crit: ['urn:x'], 'urn:x': 1 } })
    expect((await refusal(scheme.authenticate(jwt))).publicMessage).toContain('crit')
  })

  test('an issuer that is not configured, without a fetch or a forged line in the reason', async () => {
    const { issuer, scheme } = await startScheme()
    const foreign = await startIssuer()
    for (const iss of [
      foreign.url,
      `${issuer.url}/`,
      issuer.url.toUpperCase(),
      `${issuer.url}\n`,
      'x"\n'.repeat(999),
    ]) {
      const error = await refusal(scheme.authenticate(await foreign.sign({ iss })))
      expect(error.code).toBe('unauthenticated')
      expect(error.publicMessage).toBe('the issuer of the JWT is not trusted here')
      expect(error.reason).toBe(`no issuer ${JSON.stringify(iss.slice(0, 200))} is configured`)
      expect(error.reason).not.toContain('\n')
    }
    expect(foreign.requests).toEqual({ discovery: 0, keys: 0 })
    expect(issuer.requests).toEqual({ discovery: 0, keys: 0 })
    await foreign.close()
  })
})

describe('createJwtScheme withstands', () => {
  async function forged(header: JWTHeaderParameters, sign: (input: string) => string) {
    const { issuer, scheme, clock } = await startScheme({ algorithm: 'RS256' })
    await scheme.authenticate(await issuer.sign())
    const exp = clock.now() / 1000 + 300
    const claims = { iss: issuer.url, aud: 'jeton', sub: 'admin', exp }
    const input = `${base64url(header)}.${base64url(claims)}`
    return { issuer, scheme, jwt: `${input}.${sign(input)}` }
  }

  test.each(['none', 'None', 'NONE', 'nOnE', ''])('alg %j', async alg => {
    const { scheme, jwt } = await forged({ alg }, () => '')
    const error = await refusal(scheme.authenticate(jwt))
    expect(error.code).toBe('unauthenticated')
    expect(error.publicMessage).toContain('must be signed with one of')
  })

  test('HS256 with the public key as its secret, in every form of that key', async () => {
    const { issuer } = await forged({ alg: 'HS256' }, () => '')
    const [jwk] = issuer.jwks().keys
    const key = await importJWK(jwk!, 'RS256')
    if (key instanceof Uint8Array) throw new Error('not a public key')
    const pem = await exportSPKI(key)
    for (const secret of [pem, pem.trim(), JSON.stringify(jwk), JSON.stringify(issuer.jwks()), jwk!.n!]) {
      const { clock, keysOf } = await startTestIssuer()
      const trusted = { name: 'a', issuer: issuer.url, audience: 'jeton', keys: keysOf(issuer.url) }
      const scheme = createJwtScheme({ issuers: [trusted], clock })
      const payload = base64url({
        iss: issuer.url,
        aud: 'jeton',
        sub: 'admin',
        exp: clock.now() / 1000 + 300,
      })
      for (const alg of ['HS256', 'RS256']) {
        const input = `${base64url({ alg, kid: 'key-1' })}.${payload}`
        const mac = createHmac('sha256', secret).update(input).digest('base64url')
        expect((await refusal(scheme.authenticate(`${input}.${mac}`))).code).toBe('unauthenticated')
      }
    }
  })

  test('a key that the JWT brings along', async () => {
    const { issuer, scheme, clock } = await startScheme()
    const attacker = await startIssuer()
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = await exportJWK(publicKey)
    for (const header of [
      { jwk },
      { jku: `${attacker.url}/keys.json` },
      { x5u: `${attacker.url}/cert.pem` },
      { x5c: ['MIIB'] },
      { kid: `${attacker.url}/keys.json`, jku: `${attacker.url}/keys.json` },
    ])
      for (const kid of ['key-1', undefined]) {
        const jwt = await new SignJWT({ iss: issuer.url, aud: 'jeton', sub: 'admin' })
          .setProtectedHeader({ alg: 'ES256', ...(kid === undefined ? {} : { kid }), ...header })
          .setExpirationTime(clock.now() / 1000 + 300)
          .sign(privateKey)
        expect((await refusal(scheme.authenticate(jwt))).code).toBe('unauthenticated')
      }
    expect(attacker.requests).toEqual({ discovery: 0, keys: 0 })
    await attacker.close()
  })

  test('a key of one issuer that signs for another', async () => {
    const { issuer, github, clock, keysOf } = await startScheme()
    const other = await startIssuer({ now: clock.now })
    const gitlab = { name: 'gitlab', issuer: other.url, audience: 'jeton', keys: keysOf(other.url) }
    const scheme = createJwtScheme({ issuers: [github, gitlab], clock })
    expect((await scheme.authenticate(await other.sign())).issuer).toBe('gitlab')
    const error = await refusal(scheme.authenticate(await other.sign({ iss: issuer.url })))
    expect(error.code).toBe('unauthenticated')
    expect(error.reason).toBe('issuer github: the signature of the JWT does not verify')
    await other.close()
  })

  test('an RSA key of 1024 bits that an issuer publishes', async () => {
    const { clock, keysOf } = await startScheme()
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'weak' }
    const url = 'https://weak.example'
    const fetch: Fetch = async () => Response.json({ issuer: url, jwks_uri: `${url}/k`, keys: [jwk] })
    const scheme = createJwtScheme({
      issuers: [{ name: 'w', issuer: url, audience: 'jeton', keys: keysOf(url, fetch) }],
      clock,
    })
    const input = `${base64url({ alg: 'RS256', kid: 'weak' })}.${base64url({ iss: url, aud: 'jeton', sub: 'x', exp: 4e9 })}`
    const jwt = `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
    expect((await refusal(scheme.authenticate(jwt))).publicMessage).toContain('does not publish')
  })

  test('any change in a JWT, without quoting it', async () => {
    const { issuer, github, clock } = await startScheme()
    // pinned: another kid is then refused for certain
    const scheme = createJwtScheme({ issuers: [{ ...github, keys: pinKeys(issuer.jwks()) }], clock })
    const jwt = await issuer.sign({ sub: 'a-subject-of-some-length' })
    const at = fc.integer({ min: 0, max: jwt.length - 1 })
    await fc.assert(
      fc.asyncProperty(at, fc.constantFrom(...'AZaz09-_.=', '\u0000', 'é'), async (index, character) => {
        fc.pre(jwt[index] !== character)
        const error = await refusal(
          scheme.authenticate(jwt.slice(0, index) + character + jwt.slice(index + 1)),
        )
        expect(error.code).toBe('unauthenticated')
        for (const part of jwt.split('.')) {
          expect(error.publicMessage).not.toContain(part.slice(5, 25))
          expect(JSON.stringify([error.reason, error.stack, error.cause])).not.toContain(part.slice(5, 25))
        }
      }),
      { numRuns: 150 },
    )
  })
})

describe('createJwtScheme with several issuers of one URL', () => {
  async function clusters() {
    const parts = await startTestIssuer()
    const url = 'https://kubernetes.default.svc'
    const [east, west] = [
      await startIssuer({ now: parts.clock.now }),
      await startIssuer({ now: parts.clock.now }),
    ]
    await Promise.all([east.close(), west.close()])
    const trusted = (name: string, audience: string, keys: unknown) => ({
      name,
      issuer: url,
      audience,
      keys: pinKeys(keys),
    })
    return { ...parts, url, east, west, trusted }
  }

  test('tells them apart by the key', async () => {
    const { url, east, west, trusted, clock } = await clusters()
    const issuers = [trusted('east', 'jeton', east.jwks()), trusted('west', 'jeton', west.jwks())]
    const scheme = createJwtScheme({ issuers, clock })
    expect((await scheme.authenticate(await east.sign({ iss: url }))).issuer).toBe('east')
    expect((await scheme.authenticate(await west.sign({ iss: url }))).issuer).toBe('west')
    const foreignIssuer = await startIssuer({ now: clock.now })
    const error = await refusal(scheme.authenticate(await foreignIssuer.sign({ iss: url })))
    expect(error.publicMessage).toContain('signature')
    await foreignIssuer.close()
  })

  test('tells them apart by the audience, and takes the first of two that fit', async () => {
    const { url, east, trusted, clock } = await clusters()
    const issuers = [trusted('a', 'one', east.jwks()), trusted('b', 'two', east.jwks())]
    const scheme = createJwtScheme({ issuers, clock })
    expect((await scheme.authenticate(await east.sign({ iss: url, aud: 'two' }))).issuer).toBe('b')
    expect((await scheme.authenticate(await east.sign({ iss: url, aud: ['two', 'one'] }))).issuer).toBe('a')
  })

  test('refuses with the reason of the one whose key signed it', async () => {
    const { url, east, west, trusted, clock } = await clusters()
    const issuers = [trusted('east', 'jeton', east.jwks()), trusted('west', 'jeton', west.jwks())]
    const error = await refusal(
      createJwtScheme({ issuers, clock }).authenticate(
        await west.sign({ iss: url }, { expiresInSeconds: -100 }),
      ),
    )
    expect(error.reason).toMatch(/^issuer west: the JWT expired at/)
  })

  test('neither stops at one whose keys cannot be fetched, nor counts that as a refusal', async () => {
    const { clock, issuer, keysOf, trusted, east } = await clusters()
    issuer.fault = 'down'
    const discovered = { name: 'discovered', issuer: issuer.url, audience: 'jeton', keys: keysOf(issuer.url) }
    const pinned = { ...trusted('pinned', 'jeton', east.jwks()), issuer: issuer.url }
    const scheme = createJwtScheme({ issuers: [discovered, pinned], clock })
    expect((await scheme.authenticate(await east.sign({ iss: issuer.url }))).issuer).toBe('pinned')
    expect((await refusal(scheme.authenticate(await issuer.sign()))).code).toBe('temporarily_unavailable')
    const forAnotherAudience = await east.sign({ iss: issuer.url, aud: 'elsewhere' })
    expect((await refusal(scheme.authenticate(forAnotherAudience))).code).toBe('temporarily_unavailable')
  })
})
