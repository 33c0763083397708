import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { createAuthenticator, createSchemes } from '../../src/authentication/authenticator.ts'
import type { AuthScheme } from '../../src/authentication/principal.ts'
import { refusal, startTestIssuer } from './support.ts'

/** A scheme that accepts and recalls every credential, and keeps it. */
function recordingScheme(scheme: string): AuthScheme & { credentials: string[] } {
  const credentials: string[] = []
  return {
    scheme,
    credentials,
    async authenticate(credential) {
      credentials.push(credential)
      return { issuer: scheme, subject: credential, claims: {} }
    },
    recall(credential) {
      credentials.push(credential)
      return { issuer: scheme, subject: credential, claims: {} }
    },
  }
}

test.each(['Bearer abc.def-_~+/==', 'bearer abc.def-_~+/==', 'BEARER    abc.def-_~+/=='])(
  'createAuthenticator passes the credential of %j to its scheme',
  async authorization => {
    const bearer = recordingScheme('Bearer')
    const principal = await createAuthenticator([recordingScheme('ApiKey'), bearer]).authenticate(
      authorization,
    )
    expect(principal.issuer).toBe('Bearer')
    expect(bearer.credentials).toEqual(['abc.def-_~+/=='])
  },
)

test.each(['Bearer abc.def-_~+/==', 'bearer abc.def-_~+/==', 'BEARER    abc.def-_~+/=='])(
  'recall passes the credential of %j to its scheme',
  authorization => {
    const bearer = recordingScheme('Bearer')
    const principal = createAuthenticator([recordingScheme('ApiKey'), bearer]).recall(authorization)
    expect(principal).toMatchObject({ issuer: 'Bearer' })
    expect(bearer.credentials).toEqual(['abc.def-_~+/=='])
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
])('createAuthenticator refuses %j without quoting it', async authorization => {
  const [bearer, apiKey] = [recordingScheme('Bearer'), recordingScheme('ApiKey')]
  const authenticator = createAuthenticator([bearer, apiKey])
  const error = await refusal(authenticator.authenticate(authorization))
  expect(authenticator.recall(authorization)).toEqual(error)
  expect(error.code).toBe('unauthenticated')
  expect(error.publicMessage).toContain('send Authorization: Bearer ... or ApiKey ...')
  const secret = authorization?.split(' ').at(-1) ?? ''
  if (secret.length > 3 && !secret.startsWith('Bearer')) expect(error.message).not.toContain(secret)
  expect([...bearer.credentials, ...apiKey.credentials]).toEqual([])
})

test('createAuthenticator passes on nothing but SCHEME, spaces and one token', async () => {
  const bearer = recordingScheme('Bearer')
  const authenticator = createAuthenticator([bearer])
  const piece = fc.oneof(
    fc.constantFrom('Bearer', ' ', ',', '=', '\t', 'abc', '"'),
    fc.string({ maxLength: 4 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async pieces => {
      bearer.credentials.length = 0
      await authenticator.authenticate(pieces.join('')).catch(() => {})
      authenticator.recall(pieces.join(''))
      for (const credential of bearer.credentials) expect(credential).toMatch(/^[A-Za-z0-9._~+/-]+=*$/)
    }),
  )
})

test('createAuthenticator refuses a long header that almost fits as fast as it reads it', async () => {
  const authenticator = createAuthenticator([recordingScheme('Bearer')])
  for (const header of [
    `Bearer${' '.repeat(60_000)}`,
    `Bearer ${'='.repeat(60_000)}`,
    `Bearer ${'a'.repeat(60_000)}=!`,
  ])
    expect((await refusal(authenticator.authenticate(header))).code).toBe('unauthenticated')
})

test('createSchemes returns every scheme, with the issuers and keys that it is given', async () => {
  const { issuer, clock, keysOf } = await startTestIssuer()
  const { key, sha256 } = newApiKey()
  const issuers = [{ name: 'ci', issuer: issuer.url, audience: 'jeton', keys: keysOf(issuer.url) }]
  const authenticator = createAuthenticator(createSchemes({ issuers, apiKeys: { report: [sha256] }, clock }))
  expect((await authenticator.authenticate(`Bearer ${await issuer.sign()}`)).issuer).toBe('ci')
  expect((await authenticator.authenticate(`ApiKey ${key}`)).subject).toBe('report')
  expect((await refusal(authenticator.authenticate(`Bearer ${key}`))).code).toBe('unauthenticated')
})
