import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appWorld } from '../support/service/app.ts'
import { askToken, expectRefusal } from './support.ts'

test.each([
  ['an unknown key', '{"database":"orders","force":true}', 'force'],
  ['a number for text', '{"database":7}', 'body.database must be string'],
  ['text for a truth', '{"database":"orders","caPem":"true"}', 'body.caPem must be boolean'],
  ['a number for a truth', '{"database":"orders","caPem":1}', 'body.caPem must be boolean'],
  ['null for what may be left out', '{"database":"orders","user":null}', 'body.user must be string'],
  ['a list for text', '{"database":["orders"]}', 'body.database must be string'],
  ['an object for text', '{"database":{"name":"orders"}}', 'body.database must be string'],
  ['no database', '{}', "must have required property 'database'"],
  ['an empty name', '{"database":""}', 'body.database must NOT have fewer than 1 characters'],
  [
    'a fingerprint in capitals',
    `{"database":"orders","refused":"${'A'.repeat(64)}"}`,
    'body.refused must match',
  ],
  ['half a fingerprint', `{"database":"orders","refused":"${'a'.repeat(32)}"}`, 'body.refused must match'],
  ['a list', '[{"database":"orders"}]', 'body must be object'],
  ['text', '"orders"', 'body must be object'],
  ['null', 'null', 'body must be object'],
  ['half a body', '{"database":"ord', 'not JSON'],
  ['two bodies', '{"database":"orders"}{}', 'not JSON'],
  ['a form sent as JSON', 'database=orders', 'not JSON'],
  ['an empty body', '', 'not JSON'],
  ['a member twice', '{"database":"public","database":"orders"}', 'twice'],
  ['a member twice, once in disguise', '{"database":"public","d\\u0061tabase":"orders"}', 'twice'],
  ['another prototype', '{"database":"orders","__proto__":{"caPem":true}}', 'not JSON'],
  ['a polluted constructor', '{"database":"orders","constructor":{"prototype":{"caPem":true}}}', 'not JSON'],
])('%s is refused, and told what to mend', async (_what, body, detail) => {
  const world = await appWorld()
  const reply = await askToken(world, { authorization: await world.bearer(), body })
  const record = expectRefusal(world, reply, 'invalid_request')
  expect(reply.body.detail).toContain(detail)
  expect(record.reason).toContain(detail)
  expect(record.principal).toMatchObject({ issuer: 'github', subject: 'someone' })
})

test('no body at all is refused', async () => {
  const world = await appWorld()
  const reply = await world.app.inject({
    method: 'POST',
    url: '/v1/tokens',
    headers: { authorization: await world.bearer() },
  })
  expect([reply.statusCode, reply.json().code]).toEqual([400, 'invalid_request'])
})

test('no value is taken for a member named twice', async () => {
  const world = await appWorld()
  const authorization = await world.bearer()
  const text = fc.string({
    unit: fc.constantFrom('"', '\\', ':', ' ', '\n', 'user', '{', '}', 'é'),
    minLength: 1,
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(text, text, async (database, user) => {
      const { statusCode } = await world.app.inject({
        method: 'POST',
        url: '/v1/tokens',
        headers: { authorization },
        payload: { database, user },
      })
      expect(statusCode).toBe(403)
    }),
    { numRuns: 100 },
  )
})

test('only what is of the schema passes, whatever JSON is sent', async () => {
  const world = await appWorld()
  const authorization = await world.bearer()
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 2 }), async payload => {
      const { statusCode } = await world.app.inject({
        method: 'POST',
        url: '/v1/tokens',
        headers: { authorization, 'content-type': 'application/json' },
        payload,
      })
      expect(statusCode).toBe(400)
    }),
    { numRuns: 100 },
  )
})

test('thousands of faults are not told one by one', async () => {
  const world = await appWorld()
  const keys = Array.from({ length: 1000 }, (_, i) => [`key${i}`, 1])
  const body = { database: 'orders', ...Object.fromEntries(keys) }
  const reply = await askToken(world, { authorization: await world.bearer(), body })
  expectRefusal(world, reply, 'invalid_request')
  expect(reply.text.length).toBeLessThan(1000)
})

test('a secret in the place of a key is not told, to nobody', async () => {
  const world = await appWorld()
  const authorization = await world.bearer()
  const reply = await askToken(world, { authorization, body: { database: 'orders', [world.apiKey]: 1 } })
  const record = expectRefusal(world, reply, 'invalid_request')
  expect(reply.text + JSON.stringify(record)).not.toContain(world.apiKey.slice(0, 12))
})

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
  'text/json',
  'nonsense',
])('a body of %s is refused', async type => {
  const world = await appWorld()
  const authorization = await world.bearer()
  const reply = await askToken(world, { authorization, type, body: '{"database":"orders"}' })
  expectRefusal(world, reply, 'unsupported_media_type')
  expect(reply.body.detail).toContain('application/json')
})

test('JSON may say its charset', async () => {
  const world = await appWorld()
  const authorization = await world.bearer()
  expect((await askToken(world, { authorization, type: 'application/json; charset=utf-8' })).status).toBe(200)
})

test('a body over 16 KiB is refused, one just below is read', async () => {
  const world = await appWorld()
  const authorization = await world.bearer()
  const body = (bytes: number) => JSON.stringify({ database: 'x' }).padEnd(bytes)
  expectRefusal(world, await askToken(world, { authorization, body: body(16_385) }), 'payload_too_large')
  expectRefusal(world, await askToken(world, { authorization, body: body(16_384) }), 'access_denied')
})

test('a body over 16 KiB in chunks, its length not told, is refused all the same', async () => {
  const world = await appWorld()
  const response = await fetch(`${world.url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: await world.bearer(), 'content-type': 'application/json' },
    body: new Blob([' '.repeat(20_000)]).stream(),
    duplex: 'half',
  } as RequestInit)
  expect(response.status).toBe(413)
  expect(await response.json()).toMatchObject({ code: 'payload_too_large' })
})
