import { describe, expect, test } from 'vitest'
import {
  jwksText,
  MISSING_FILE,
  pinnedIssuer,
  privateJwk,
  problemsOf,
  publicJwk,
  withIssuers,
} from '../support.ts'

describe('checkIssuers', () => {
  test('reserves the name of the issuer of API keys', async () => {
    const apiKey = { issuer: 'https://x.example', audience: 'a' }
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

  test('rejects issuers that nothing tells apart', async () => {
    const url = { issuer: 'https://x.example', audience: 'a' }
    expect(await problemsOf(withIssuers({ a: url, b: { ...url, audience: 'b' }, c: url }))).toEqual([
      'issuers.c: has the issuer, audience and keys of issuers.a, so nothing tells their JWTs apart: use another audience',
    ])
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
