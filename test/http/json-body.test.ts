import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startApi } from '../support/service/app.ts'
import { expectRefusal, requestToken } from './support.ts'

test.each([
  ['an unknown key', '{"database":"orders","force":true}', 'force'],
  ['a number for text', '{"database":7}', 'body.database must be string'],
  ['text for a boolean', '{"database":"orders","caPem":"true"}', 'body.caPem must be boolean'],
  ['a number for a boolean', '{"database":"orders","caPem":1}', 'body.caPem must be boolean'],
  ['null for an optional member', '{"database":"orders","user":null}', 'body.user must be string'],
  ['a list for text', '{"database":["orders"]}', 'body.database must be string'],
  ['an object for text', '{"database":{"name":"orders"}}', 'body.database must be string'],
  ['no database', '{}', "must have required property 'database'"],
  ['an empty name', '{"database":""}', 'body.database must NOT have fewer than 1 characters'],
  ['a minimum of nothing', '{"database":"orders","minimumSeconds":0}', 'body.minimumSeconds must be >= 1'],
  ['a minimum beyond a token', '{"database":"orders","minimumSeconds":841}', 'must be <= 840'],
  ['a minimum of half a second', '{"database":"orders","minimumSeconds":600.5}', 'must be integer'],
  ['text for a minimum', '{"database":"orders","minimumSeconds":"600"}', 'must be integer'],
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
  ['a member twice, once with an escape', '{"database":"public","d\\u0061tabase":"orders"}', 'twice'],
  ['another prototype', '{"database":"orders","__proto__":{"caPem":true}}', 'not JSON'],
  ['a polluted constructor', '{"database":"orders","constructor":{"prototype":{"caPem":true}}}', 'not JSON'],
])('%s is invalid_request, and the detail says why', async (_what, body, detail) => {
  const api = await startApi()
  const reply = await requestToken(api, { authorization: await api.bearer(), body })
  const record = expectRefusal(api, reply, 'invalid_request')
  expect(reply.body.detail).toContain(detail)
  expect(record.reason).toContain(detail)
  expect(record.principal).toMatchObject({ issuer: 'github', subject: 'someone' })
})

test('a request without a body is invalid_request', async () => {
  const api = await startApi()
  const reply = await api.app.inject({
    method: 'POST',
    url: '/v1/tokens',
    headers: { authorization: await api.bearer() },
  })
  expect([reply.statusCode, reply.json().code]).toEqual([400, 'invalid_request'])
})

test('a value with quotes and colons is not taken for a duplicate member', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  const text = fc.string({
    unit: fc.constantFrom('"', '\\', ':', ' ', '\n', 'user', '{', '}', 'é'),
    minLength: 1,
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(text, text, async (database, user) => {
      const { statusCode } = await api.app.inject({
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

test('any JSON that does not fit the schema is rejected', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 2 }), async payload => {
      const { statusCode } = await api.app.inject({
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

test('a body with a thousand faults gets a short detail', async () => {
  const api = await startApi()
  const keys = Array.from({ length: 1000 }, (_, i) => [`key${i}`, 1])
  const body = { database: 'orders', ...Object.fromEntries(keys) }
  const reply = await requestToken(api, { authorization: await api.bearer(), body })
  expectRefusal(api, reply, 'invalid_request')
  expect(reply.text.length).toBeLessThan(1000)
})

test('a secret in place of a key is neither in the reply nor in the record', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  const reply = await requestToken(api, { authorization, body: { database: 'orders', [api.apiKey]: 1 } })
  const record = expectRefusal(api, reply, 'invalid_request')
  expect(reply.text + JSON.stringify(record)).not.toContain(api.apiKey.slice(0, 12))
})

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
  'text/json',
  'nonsense',
])('a body of %s is unsupported_media_type', async type => {
  const api = await startApi()
  const authorization = await api.bearer()
  const reply = await requestToken(api, { authorization, type, body: '{"database":"orders"}' })
  expectRefusal(api, reply, 'unsupported_media_type')
  expect(reply.body.detail).toContain('application/json')
})

test('application/json with a charset is accepted', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  expect((await requestToken(api, { authorization, type: 'application/json; charset=utf-8' })).status).toBe(
    200,
  )
})

test('a body over 16 KiB is payload_too_large, one of exactly 16 KiB is read', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  const body = (bytes: number) => JSON.stringify({ database: 'x' }).padEnd(bytes)
  expectRefusal(api, await requestToken(api, { authorization, body: body(16_385) }), 'payload_too_large')
  expectRefusal(api, await requestToken(api, { authorization, body: body(16_384) }), 'access_denied')
})

test('a body over 16 KiB in chunks, without a length, is payload_too_large', async () => {
  const api = await startApi()
  const response = await fetch(`${api.url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: await api.bearer(), 'content-type': 'application/json' },
    body: new Blob([' '.repeat(20_000)]).stream(),
    duplex: 'half',
  } as RequestInit)
  expect(response.status).toBe(413)
  expect(await response.json()).toMatchObject({ code: 'payload_too_large' })
})
