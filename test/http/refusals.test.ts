import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { newApiKey } from '../../src/authentication/api-key.ts'
import { startIssuer } from '../support/oidc/issuer.ts'
import { type AppWorld, appWorld } from '../support/service/app.ts'
import { askToken, expectRefusal } from './support.ts'

describe('401', () => {
  const credentials: [string, (world: AppWorld) => Promise<string | undefined>][] = [
    ['no credential', async () => undefined],
    ['an empty one', async () => ''],
    ['a scheme alone', async () => 'Bearer'],
    ['an unknown scheme', async () => 'Basic YTpi'],
    ['a JWT without its scheme', async ({ bearer }) => (await bearer()).replace('Bearer ', '')],
    ['what is no JWT', async () => 'Bearer nonsense'],
    ['an expired JWT', ({ bearer }) => bearer({}, { expiresInSeconds: -61 })],
    ['a JWT for another audience', ({ bearer }) => bearer({ aud: 'elsewhere' })],
    ['a JWT of an issuer that is not configured', ({ bearer }) => bearer({ iss: 'https://evil.example' })],
    ['a JWT changed on its way', async ({ bearer }) => (await bearer()).replace(/\.[^.]+\./, `.${FORGED}.`)],
    ['an unknown API key', async () => `ApiKey ${newApiKey().key}`],
    ['an API key as a JWT', async ({ apiKey }) => `Bearer ${apiKey}`],
  ]

  test.each(credentials)('for %s, with a challenge and a record', async (_what, credentialOf) => {
    const world = await appWorld()
    const reply = await askToken(world, {
      authorization: await credentialOf(world),
      headers: { 'user-agent': 'probe/1' },
    })
    const record = expectRefusal(world, reply, 'unauthenticated')
    expect(reply.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    expect(record.userAgent).toBe('probe/1')
    expect(record.principal).toBeUndefined()
  })

  test('for a JWT signed with a key of somebody else, whatever it says of itself', async () => {
    const world = await appWorld()
    const forger = await startIssuer({ now: world.clock.now })
    const jwt = await forger.sign({ iss: world.issuer.url, repository_id: '123456' })
    await forger.close()
    expectRefusal(world, await askToken(world, { authorization: `Bearer ${jwt}` }), 'unauthenticated')
  })

  test.each([
    ['over the limit', ' '.repeat(20_000), 'application/json'],
    ['not JSON', '{', 'application/json'],
    ['of another type', 'x', 'text/plain'],
  ])('comes before anything is said of a body %s', async (_what, body, type) => {
    const world = await appWorld()
    expectRefusal(
      world,
      await askToken(world, { authorization: 'Bearer bad', body, type }),
      'unauthenticated',
    )
  })
})

describe('403', () => {
  test('looks the same for a database that is unknown and one that is not granted', async () => {
    const world = await appWorld()
    const authorization = await world.bearer({ repository_id: '666' })
    const replies = []
    for (const database of ['orders', 'no-such-database', 'constructor', '__proto__']) {
      const reply = await askToken(world, { authorization, body: { database, user: 'migrator' } })
      const record = expectRefusal(world, reply, 'access_denied')
      expect(record).toMatchObject({ principal: { issuer: 'github', subject: 'someone' }, database })
      expect(record.reason).toContain('nearest grant orders-deploy')
      replies.push({ text: withoutId(reply), headers: headersOf(reply) })
    }
    expect(new Set(replies.map(reply => JSON.stringify(reply))).size).toBe(1)
    expect(JSON.stringify(replies)).not.toContain('orders')
  })

  test('looks the same for a user that is unknown and one that is not granted', async () => {
    const world = await appWorld()
    const authorization = await world.bearer()
    const texts = []
    for (const user of ['app_rw', 'no_such_user']) {
      const reply = await askToken(world, { authorization, body: { database: 'orders', user } })
      expect(expectRefusal(world, reply, 'access_denied')).toMatchObject({ user })
      texts.push(withoutId(reply))
    }
    expect(texts[0]).toBe(texts[1])
  })
})

describe('404', () => {
  test.each([
    ['get', '/v1/tokens'],
    ['put', '/v1/tokens'],
    ['delete', '/v1/databases'],
    ['post', '/v1/databases'],
    ['post', '/healthz'],
    ['options', '/v1/tokens'],
    ['head', '/v1/tokens'],
    ['get', '/'],
    ['get', '/v1/tokens/'],
    ['get', '/v2/tokens'],
    ['get', '/metrics'],
    ['get', '/%zz'],
    ['get', '/%00'],
    ['get', '/../../etc/passwd'],
  ] as const)('for %s %s', async (method, path) => {
    const { app, records } = await appWorld()
    const reply = await app.inject({ method, url: path })
    expect(reply.statusCode).toBe(404)
    if (method !== 'head') expect(reply.json()).toMatchObject({ code: 'not_found', status: 404 })
    expect(reply.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'x-content-type-options': 'nosniff',
    })
    expect(records).toEqual([])
  })

  test.each([
    ['text/plain', 'x'],
    ['application/json', '{'],
    ['application/json', ' '.repeat(20_000)],
  ])('has no eye for the body, though it be %s', async (type, body) => {
    const { url } = await appWorld()
    const reply = await request(url).post('/nowhere').set('content-type', type).send(body)
    expect([reply.status, reply.body.code]).toEqual([404, 'not_found'])
  })
})

const FORGED = Buffer.from('{"iss":"x","sub":"admin"}').toString('base64url')

function withoutId({ text, body }: { text: string; body: { requestId: string } }): string {
  return text.replace(body.requestId, '')
}

function headersOf({ headers }: { headers: Record<string, string> }) {
  const { 'x-request-id': _id, date: _date, ...rest } = headers
  return rest
}
