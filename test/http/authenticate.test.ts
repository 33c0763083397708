import { describe, expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { callerOf } from '../../src/http/authenticate.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { startApi, type TestApi } from '../support/service/app.ts'
import { expectRefusal, requestToken } from './support.ts'

/** What is challenged for if no credential was shown, or one of another kind. */
const NONE = 'Bearer realm="jeton", ApiKey realm="jeton"'
const BAD_JWT = 'Bearer error="invalid_token", realm="jeton", ApiKey realm="jeton"'
const BAD_KEY = 'Bearer realm="jeton", ApiKey error="invalid_token", realm="jeton"'
const FORGED_PAYLOAD = Buffer.from('{"iss":"x","sub":"admin"}').toString('base64url')

describe('401', () => {
  const credentials: [string, string, (api: TestApi) => Promise<string | undefined>][] = [
    ['no credential', NONE, async () => undefined],
    ['an empty credential', NONE, async () => ''],
    ['a scheme alone', NONE, async () => 'Bearer'],
    ['an unknown scheme', NONE, async () => 'Basic YTpi'],
    ['a JWT without its scheme', NONE, async ({ bearer }) => (await bearer()).replace('Bearer ', '')],
    ['a Bearer token that is not a JWT', BAD_JWT, async () => 'Bearer nonsense'],
    ['an expired JWT', BAD_JWT, ({ bearer }) => bearer({}, { expiresInSeconds: -61 })],
    ['a JWT for another audience', BAD_JWT, ({ bearer }) => bearer({ aud: 'elsewhere' })],
    [
      'a JWT of an issuer that is not configured',
      BAD_JWT,
      ({ bearer }) => bearer({ iss: 'https://evil.example' }),
    ],
    [
      'a JWT that was changed',
      BAD_JWT,
      async ({ bearer }) => (await bearer()).replace(/\.[^.]+\./, `.${FORGED_PAYLOAD}.`),
    ],
    ['an unknown API key', BAD_KEY, async () => `ApiKey ${newApiKey().key}`],
    ['a scheme in capitals', BAD_JWT, async () => 'BEARER nonsense'],
    ['a scheme and spaces', NONE, async () => 'ApiKey   '],
    ['an API key as a JWT', BAD_JWT, async ({ apiKey }) => `Bearer ${apiKey}`],
  ]

  test.each(credentials)(
    'is the reply to %s, with the challenge %s and a record',
    async (_what, challenge, credentialOf) => {
      const api = await startApi()
      const reply = await requestToken(api, {
        authorization: await credentialOf(api),
        headers: { 'user-agent': 'probe/1' },
      })
      const record = expectRefusal(api, reply, 'unauthenticated')
      expect(reply.headers['www-authenticate']).toBe(challenge)
      expect(record.userAgent).toBe('probe/1')
      expect(record.principal).toBeUndefined()
    },
  )

  test('is the reply to a JWT that someone else signed, whatever it claims', async () => {
    const api = await startApi()
    const forger = await startIssuer({ now: api.clock.now })
    const jwt = await forger.sign({ iss: api.issuer.url, repository_id: '123456' })
    await forger.close()
    expectRefusal(api, await requestToken(api, { authorization: `Bearer ${jwt}` }), 'unauthenticated')
  })

  test.each([
    ['over the limit', ' '.repeat(20_000), 'application/json'],
    ['not JSON', '{', 'application/json'],
    ['of another type', 'x', 'text/plain'],
  ])('comes before any fault of the body, which is %s', async (_what, body, type) => {
    const api = await startApi()
    expectRefusal(
      api,
      await requestToken(api, { authorization: 'Bearer bad', body, type }),
      'unauthenticated',
    )
  })
})

test('callerOf throws for a route without the authentication hook', () => {
  expect(() => callerOf({} as Parameters<typeof callerOf>[0])).toThrow('no authentication hook')
})
