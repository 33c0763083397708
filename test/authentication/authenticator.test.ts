import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { createAuthenticator, createSchemes } from '../../src/authentication/authenticator.ts'
import type { AuthScheme } from '../../src/authentication/principal.ts'
import { issuerWorld, refusal } from './support.ts'

function recording(scheme: string): AuthScheme & { got: string[] } {
  const got: string[] = []
  return {
    scheme,
    got,
    async authenticate(credential) {
      got.push(credential)
      return { issuer: scheme, subject: credential, claims: {} }
    },
  }
}

test.each(['Bearer abc.def-_~+/==', 'bearer abc.def-_~+/==', 'BEARER    abc.def-_~+/=='])(
  '%j reaches the way in',
  async authorization => {
    const bearer = recording('Bearer')
    const principal = await createAuthenticator([recording('ApiKey'), bearer]).authenticate(authorization)
    expect(principal.issuer).toBe('Bearer')
    expect(bearer.got).toEqual(['abc.def-_~+/=='])
  },
)

test.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  ' Bearer abc',
  'Bearer abc ',
  'Bearer\tabc',
  'Bearer abc def',
  'Bearer abc, Bearer def',
  'Bearer abc,ApiKey def',
  'Bearer "abc"',
  'Bearer =abc',
  'Bearer abc\n',
  'Bearer abc\u0000',
  'Bearer é',
  'Bearer realm="x"',
  'Basic dXNlcjpwYXNz',
  'Bearerabc',
  'eyJhbGciOiJub25lIn0.e30.',
])('%j reaches none, and is not quoted', async authorization => {
  const [bearer, apiKey] = [recording('Bearer'), recording('ApiKey')]
  const error = await refusal(createAuthenticator([bearer, apiKey]).authenticate(authorization))
  expect(error.code).toBe('unauthenticated')
  expect(error.publicMessage).toContain('send Authorization: Bearer ... or ApiKey ...')
  const secret = authorization?.split(' ').at(-1) ?? ''
  if (secret.length > 3 && !secret.startsWith('Bearer')) expect(error.message).not.toContain(secret)
  expect([...bearer.got, ...apiKey.got]).toEqual([])
})

test('nothing that is not SCHEME, spaces and one token ever reaches a way in', async () => {
  const bearer = recording('Bearer')
  const callers = createAuthenticator([bearer])
  const piece = fc.oneof(
    fc.constantFrom('Bearer', ' ', ',', '=', '\t', 'abc', '"'),
    fc.string({ maxLength: 4 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async pieces => {
      bearer.got.length = 0
      await callers.authenticate(pieces.join('')).catch(() => {})
      for (const credential of bearer.got) expect(credential).toMatch(/^[A-Za-z0-9._~+/-]+=*$/)
    }),
  )
})

test('a long header that almost fits is refused as fast as it is read', async () => {
  const callers = createAuthenticator([recording('Bearer')])
  for (const header of [
    `Bearer${' '.repeat(60_000)}`,
    `Bearer ${'='.repeat(60_000)}`,
    `Bearer ${'a'.repeat(60_000)}=!`,
  ])
    expect((await refusal(callers.authenticate(header))).code).toBe('unauthenticated')
})

test('the registry has each way in, for the rules it is given', async () => {
  const { issuer, clock, keysOf } = await issuerWorld()
  const { key, sha256 } = newApiKey()
  const issuers = [{ name: 'ci', issuer: issuer.url, audience: 'jeton', keys: keysOf(issuer.url) }]
  const callers = createAuthenticator(createSchemes({ issuers, apiKeys: { report: [sha256] }, clock }))
  expect((await callers.authenticate(`Bearer ${await issuer.sign()}`)).issuer).toBe('ci')
  expect((await callers.authenticate(`ApiKey ${key}`)).subject).toBe('report')
  expect((await refusal(callers.authenticate(`Bearer ${key}`))).code).toBe('unauthenticated')
})
