import { generateKeyPairSync } from 'node:crypto'
import type { JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../../src/config/load.ts'
import { exampleIn, readDocsPage } from '../../support/markdown.ts'
import {
  jwksText,
  MISSING_FILE,
  pinnedIssuer,
  privateJwk,
  problemsOf,
  publicJwk,
  type Sound,
  sound,
  withGrants,
  withIssuers,
  written,
} from '../support.ts'

async function jwksWarnings(config: unknown, files: Record<string, string>): Promise<string[]> {
  const { warnings = [] } = await loadConfig(await written(config, files))
  return warnings.filter(({ path }) => path === 'issuers.x.jwksFile').map(({ message }) => message)
}

describe('checkIssuers', () => {
  test('reserves the name of the issuer of API keys', async () => {
    const apiKey = { issuer: 'https://x.example', audience: 'a', tenancy: 'private' }
    expect(await problemsOf(withIssuers({ apiKey }))).toEqual([
      'issuers.apiKey: is reserved for API keys: choose another name',
    ])
  })

  test.each([
    ['http://issuer.example', /must be an https URL.*jwksFile/],
    ['issuer.example', /must be an https URL/],
    ['ftp://issuer.example', /must be an https URL/],
    ['http://127.0.0.1.example', /must be an https URL/],
    ['https://user:s3cret@issuer.example', /without a query, fragment, credentials or spaces$/],
    ['https://issuer.example?x=y', /without a query/],
    ['https://issuer.example ', /without a query/],
  ])('rejects the URL %s, from which keys would be fetched', async (issuer, problem) => {
    const problems = await problemsOf(withIssuers({ x: { issuer, audience: 'a' } }))
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(problems[0]).toMatch(/^issuers\.x\.issuer: /)
  })

  const { kid: _, ...nameless } = publicJwk()
  const rsa = (modulusLength: number, publicExponent = 65_537) =>
    generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' }) as JWK
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })

  const FAULTY_KEYS: [JWK, string][] = [
    [{ ...publicJwk(), use: 'enc' }, 'is not for signatures (`use: enc`)'],
    [{ ...publicJwk(), key_ops: ['encrypt'] }, 'is not for verifying (`key_ops` lacks `verify`)'],
    [{ ...publicJwk(), crv: 'P-999' }, 'is on the curve P-999, which jeton does not verify with'],
    [{ ...publicJwk(), crv: 'secp256k1', alg: 'ES256K' }, 'is on the curve secp256k1'],
    [{ kty: 'OKP', crv: 'X25519', x: 'AQ', kid: 'k' }, 'is on the curve X25519'],
    [{ kty: 'AKP', pub: 'AQ', kid: 'k' }, 'is of the type AKP, which jeton does not verify with'],
    [{ kty: 'EC', x: 'AQ', y: 'AQ', kid: 'k' }, 'is of the type EC without a curve (`crv`)'],
    [{ ...publicJwk(), alg: 'HS256' }, 'is for `alg: HS256`, which jeton does not accept'],
    [{ ...publicJwk(), alg: 'not an algorithm, but a secret' }, 'is for `alg: …`'],
    [{ ...p384, alg: 'ES256', kid: 'k' } as JWK, 'says `alg: ES256`, but a key of its kind is for ES384'],
    [{ kty: 'RSA', e: 'AQAB', kid: 'k' }, 'lacks `n`'],
    [{ kty: 'RSA', kid: 'k' }, 'lacks `n` and `e`'],
    [{ ...rsa(1024), kid: 'k' }, 'is an RSA key of 1024 bits, and 2048 are the least'],
    [{ ...rsa(2048), e: 'AQ', kid: 'k' }, 'is an RSA key with an exponent of 1, by which everybody can sign'],
    [{ ...publicJwk(), y: publicJwk().x ?? '' }, 'is not a valid key'],
    [{ ...publicJwk(), kid: 7 } as unknown as JWK, 'has a `kid` that is not text'],
  ]

  test.each(FAULTY_KEYS)('rejects %j as the only key, and warns of it beside others', async (key, fault) => {
    const x = { x: pinnedIssuer('keys.json') }
    const [problem, ...more] = await problemsOf(withIssuers(x), { 'keys.json': jwksText([key]) })
    expect(more).toEqual([])
    expect(problem).toContain('issuers.x.jwksFile: names a file in which no key can verify a JWT: keys.0 ')
    expect(problem).toContain(`keys.0 ${fault}`)
    const beside = { 'keys.json': jwksText([publicJwk(), key]) }
    expect(await jwksWarnings(withIssuers(x)(sound()), beside)).toEqual([
      expect.stringContaining(`names a file whose keys.1 verifies nothing: it ${fault}`),
    ])
  })

  test('lists the faults of several keys, and takes those that the same file has without any', async () => {
    const keys = FAULTY_KEYS.slice(0, 2).map(([key]) => key)
    const x = { x: pinnedIssuer('keys.json') }
    expect(await problemsOf(withIssuers(x), { 'keys.json': jwksText(keys) })).toEqual([
      'issuers.x.jwksFile: names a file in which no key can verify a JWT: keys.0 is not for signatures (`use: enc`); keys.1 is not for verifying (`key_ops` lacks `verify`)',
    ])
    const sane = [
      { ...rsa(2048), kid: 'a', use: 'sig', alg: 'RS256' },
      { ...rsa(2048), kid: 'b', key_ops: ['verify'] },
      { ...p384, kid: 'c' } as JWK,
      {
        ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
        kid: 'd',
        alg: 'Ed25519',
      } as JWK,
    ]
    const config = withIssuers(x)(sound())
    expect(await jwksWarnings(config, { 'keys.json': jwksText(sane) })).toEqual([])
    expect(await jwksWarnings(config, { 'keys.json': `\uFEFF${jwksText(sane)}` })).toEqual([])
  })

  test('warns of a key without a name', async () => {
    const config = withIssuers({ x: pinnedIssuer('keys.json') })(sound())
    expect(await jwksWarnings(config, { 'keys.json': jwksText([nameless]) })).toEqual([
      expect.stringMatching(/names a file whose keys\.0 has no `kid`/),
    ])
  })

  test('accepts plain http on loopback, and any text if keys are pinned', async () => {
    const issuers = {
      local: { issuer: 'http://127.0.0.1:8080', audience: 'a' },
      named: { issuer: 'not a URL', audience: 'a', jwksFile: 'keys.json' },
    }
    expect(await problemsOf(withIssuers(issuers), { 'keys.json': jwksText() })).toEqual([])
  })

  test.each<[string, string, RegExp]>([
    ['does not exist', '', /names a file that cannot be read/],
    ['is not JSON', 'keys: []', /names a file that is not JSON/],
    ['is PEM', '-----BEGIN PUBLIC KEY-----', /names a file that is PEM and not JSON/],
    ['is a discovery document', '{"jwks_uri":"https://x"}', /a discovery document: save what its `jwks_uri`/],
    ['is a single key', JSON.stringify(publicJwk()), /is a single key: write \{"keys": \[KEY\]\}$/],
    ['is in UTF-16', Array.from(jwksText(), char => `${char}\0`).join(''), /names a file in UTF-16/],
    [
      'has a private key by its factors',
      '{"keys":[{"kty":"RSA","n":"AQ","p":"AQ"}]}',
      /keys\.0 holds a private/,
    ],
    ['is not a key set', '{}', /names a file that cannot be used: is not a JSON Web Key Set/],
    ['has no keys', '{"keys":[]}', /cannot be used: has no keys$/],
    ['has a private key', jwksText([publicJwk(), privateJwk()]), /keys\.1 holds a private key/],
    ['has a secret', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', /keys\.0 is a symmetric key/],
  ])('rejects a key file that %s', async (_, text, problem) => {
    const files: Record<string, string> = text === '' ? {} : { 'keys.json': text }
    const problems = await problemsOf(withIssuers({ x: pinnedIssuer('keys.json') }), files)
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(problems[0]).toMatch(/^issuers\.x\.jwksFile: /)
  })

  test('rejects a lifetime that is not a whole number of seconds, 60 at least', async () => {
    const issuer = { issuer: 'https://x.example', audience: 'a', tenancy: 'private' }
    const withLifetime = (maxLifetimeSeconds: unknown) =>
      problemsOf(withIssuers({ x: { ...issuer, maxLifetimeSeconds } }))
    expect(await withLifetime(60)).toEqual([])
    expect(await withLifetime(172_800)).toEqual([])
    for (const bad of [59, 0, -1, 600.5, '600', null]) {
      const problems = await withLifetime(bad)
      expect(problems, String(bad)).toHaveLength(1)
      expect(problems[0]).toMatch(/^issuers\.x\.maxLifetimeSeconds: /)
    }
  })

  test('rejects issuers that nothing tells apart', async () => {
    const url = { issuer: 'https://x.example', audience: 'a', tenancy: 'private' }
    expect(await problemsOf(withIssuers({ a: url, b: { ...url, audience: 'b' }, c: url }))).toEqual([
      'issuers.c: has the issuer, audience and keys of issuers.a, so nothing tells their JWTs apart: use another audience',
    ])
  })

  test('takes a list of audiences, and rejects empty ones, copies, and those of another issuer with its keys', async () => {
    const url = { issuer: 'https://x.example', tenancy: 'private' }
    const audiencesOf = (a: unknown, b: unknown = 'other') =>
      problemsOf(withIssuers({ a: { ...url, audience: a }, b: { ...url, audience: b } }))
    expect(await audiencesOf(['jeton', 'second'])).toEqual([])
    expect(await audiencesOf(['jeton', 'jeton'])).toEqual([
      'issuers.a.audience[1]: is in the list already: leave it out',
    ])
    for (const bad of [[], [''], ['jeton', 7], {}, null]) expect(await audiencesOf(bad)).toHaveLength(1)
    expect(await audiencesOf(['jeton', 'second'], ['third', 'second'])).toEqual([
      'issuers.b: has the issuer, an audience and keys of issuers.a, so nothing tells their JWTs apart: use another audience',
    ])
  })

  test('takes the list of docs/configuration.md', async () => {
    const { issuers } = parse(exampleIn(await readDocsPage('configuration'), 'audiences'))
    expect(await problemsOf(withIssuers(issuers))).toEqual([])
  })

  test('rejects a key in two sets of one URL and audience, even with different ids', async () => {
    const shared = publicJwk('one')
    const files = {
      'a.json': jwksText([publicJwk(), shared]),
      'b.json': jwksText([{ ...shared, kid: 'two' }]),
      'c.json': jwksText(),
    }
    const clusters = {
      a: pinnedIssuer('a.json'),
      b: pinnedIssuer('b.json'),
      c: pinnedIssuer('c.json'),
      d: pinnedIssuer('b.json', 'other'),
    }
    expect(await problemsOf(withIssuers(clusters), files)).toEqual([
      'issuers.b: has the issuer and audience of issuers.a and shares a key with it, so nothing tells their JWTs apart: use another audience',
    ])
  })

  test('does not take two issuers for the same because the keys of both cannot be read', async () => {
    const clusters = { a: pinnedIssuer('a.json'), b: pinnedIssuer('b.json') }
    expect(await problemsOf(withIssuers(clusters))).toEqual([
      `issuers.a.jwksFile: ${MISSING_FILE}`,
      `issuers.b.jwksFile: ${MISSING_FILE}`,
    ])
  })
})

describe('checkTenancies', () => {
  const GITHUB = 'https://token.actions.githubusercontent.com'

  test.each<[string, object, string, RegExp]>([
    ['does not say whose it is', {}, 'tenancy', /^is required: jeton does not know this issuer.*`owner: \[/],
    ['is shared without an owner', { tenancy: 'shared' }, 'owner', /^is required if the tenancy is shared/],
    [
      'has an owner that pins nothing',
      { tenancy: 'shared', owner: ['aud'] },
      'owner',
      /^has aud, which does not/,
    ],
    ['is private with an owner', { tenancy: 'private', owner: ['a'] }, 'owner', /^is only allowed with/],
    [
      'is GitHub, and declared private',
      { issuer: GITHUB, tenancy: 'private' },
      'tenancy',
      /^cannot be private/,
    ],
    ['is for many tenants', { issuer: 'https://sts.windows.net/common/' }, 'issuer', /^is in no JWT/],
  ])('rejects an issuer that %s', async (_, members, key, problem) => {
    const x = { issuer: 'https://x.example', audience: 'a', ...members }
    const problems = await problemsOf(withIssuers({ x }))
    expect(problems).toHaveLength(1)
    const [, path = '', message = ''] = /^(\S+): (.*)$/.exec(problems[0] ?? '') ?? []
    expect(path).toBe(`issuers.x.${key}`)
    expect(message).toMatch(problem)
  })

  test('rejects other words for it, and an owner that is not a list', async () => {
    const x = { issuer: 'https://x.example', audience: 'a' }
    expect(await problemsOf(withIssuers({ x: { ...x, tenancy: 'public' } }))).toEqual([
      expect.stringMatching(/^issuers\.x\.tenancy: must be one of private, shared$/),
    ])
    expect(await problemsOf(withIssuers({ x: { ...x, tenancy: 'shared', owner: 'org_id' } }))).toEqual([
      expect.stringMatching(/^issuers\.x\.owner: must be a list/),
    ])
  })

  test('accepts what is known or declared, and keeps the declaration', async () => {
    const declared = { issuer: 'https://x.example', audience: 'a', tenancy: 'shared', owner: ['org_id'] }
    const issuers = {
      declared,
      entra: {
        issuer: 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
        audience: 'a',
      },
      pinned: { issuer: 'https://y.example', audience: 'a', jwksFile: 'keys.json' },
    }
    const path = await written(withIssuers(issuers)(sound()), { 'keys.json': jwksText() })
    expect((await loadConfig(path)).issuers).toContainEqual({ name: 'declared', ...declared })
  })

  test('says nothing of the grants of an issuer that is rejected, but of those of others', async () => {
    const x = { issuer: 'https://x.example', audience: 'a' }
    const grant = { claims: { ref: 'main' } }
    const config = (before: Sound) => ({
      ...withIssuers({ x })(before),
      ...withGrants(
        { name: 'a', principal: { issuer: 'x', ...grant } },
        { name: 'b', principal: { issuer: 'github', ...grant } },
      )(before),
      issuers: { ...before.issuers, x },
    })
    expect(await problemsOf(config)).toEqual([
      expect.stringMatching(/^issuers\.x\.tenancy: is required/),
      expect.stringMatching(/^grants\[1\]\.principal: the whole world/),
    ])
  })
})
