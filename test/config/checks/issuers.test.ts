import { describe, expect, test } from 'vitest'
import { jwksText, privateJwk, problemsOf, publicJwk, type Sound } from '../support.ts'

const withIssuers = (issuers: object) => (config: Sound) => ({
  ...config,
  issuers: { ...config.issuers, ...issuers },
})
const cluster = (jwksFile: string, audience = 'jeton') => ({
  issuer: 'https://kubernetes.default.svc',
  audience,
  jwksFile,
})
const UNREADABLE =
  'names a file that cannot be read (ENOENT); a relative path is relative to the folder of the configuration'

describe('issuers', () => {
  test.each([
    ['http://issuer.example', /must be an https URL.*jwksFile/],
    ['issuer.example', /must be an https URL/],
    ['ftp://issuer.example', /must be an https URL/],
    ['http://127.0.0.1.example', /must be an https URL/],
    ['https://user:s3cret@issuer.example', /without query, fragment, credentials and spaces$/],
    ['https://issuer.example?x=y', /without query/],
    ['https://issuer.example ', /without query/],
  ])('fetches no keys from %s', async (issuer, problem) => {
    const problems = await problemsOf(withIssuers({ x: { issuer, audience: 'a' } }))
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(problems[0]).toMatch(/^issuers\.x\.issuer: /)
  })

  test('takes plain http on loopback, and any name where keys are pinned', async () => {
    const issuers = {
      local: { issuer: 'http://127.0.0.1:8080', audience: 'a' },
      named: { issuer: 'not a URL', audience: 'a', jwksFile: 'keys.json' },
    }
    expect(await problemsOf(withIssuers(issuers), { 'keys.json': jwksText() })).toEqual([])
  })

  test.each<[string, string, RegExp]>([
    ['is not there', '', /names a file that cannot be read/],
    ['is not JSON', 'keys: []', /names a file that is not JSON/],
    ['is no key set', '{}', /names a file that cannot be used: is not a JSON Web Key Set/],
    ['has no keys', '{"keys":[]}', /cannot be used: has no keys$/],
    ['has a private key', jwksText([publicJwk(), privateJwk()]), /keys\.1 holds a private key/],
    ['has a secret', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', /keys\.0 is a symmetric key/],
  ])('refuses a key file that %s', async (_, text, problem) => {
    const files: Record<string, string> = text === '' ? {} : { 'keys.json': text }
    const problems = await problemsOf(withIssuers({ x: cluster('keys.json') }), files)
    expect(problems).toEqual([expect.stringMatching(problem)])
    expect(problems[0]).toMatch(/^issuers\.x\.jwksFile: /)
  })

  test('refuses those that nothing tells apart', async () => {
    const url = { issuer: 'https://x.example', audience: 'a' }
    expect(await problemsOf(withIssuers({ a: url, b: { ...url, audience: 'b' }, c: url }))).toEqual([
      'issuers.c: has the issuer and audience of issuers.a and its keys too: nothing tells their JWTs apart',
    ])
  })

  test('refuses a key in two sets of one URL and audience, whatever it is called there', async () => {
    const shared = publicJwk('one')
    const files = {
      'a.json': jwksText([publicJwk(), shared]),
      'b.json': jwksText([{ ...shared, kid: 'two' }]),
      'c.json': jwksText(),
    }
    const clusters = {
      a: cluster('a.json'),
      b: cluster('b.json'),
      c: cluster('c.json'),
      d: cluster('b.json', 'other'),
    }
    expect(await problemsOf(withIssuers(clusters), files)).toEqual([
      'issuers.b: has the issuer and audience of issuers.a and a key of it too: nothing tells their JWTs apart',
    ])
  })

  test('does not call clusters the same because the keys of both cannot be read', async () => {
    const clusters = { a: cluster('a.json'), b: cluster('b.json') }
    expect(await problemsOf(withIssuers(clusters))).toEqual([
      `issuers.a.jwksFile: ${UNREADABLE}`,
      `issuers.b.jwksFile: ${UNREADABLE}`,
    ])
  })
})
