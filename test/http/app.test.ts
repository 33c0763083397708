import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { startApi } from '../support/service/app.ts'

test.each([
  [200, 'GET', '/healthz'],
  [200, 'GET', '/readyz'],
  [200, 'GET', '/openapi.json'],
  [200, 'GET', '/v1/ca/global.pem'],
  [401, 'GET', '/v1/databases'],
  [401, 'POST', '/v1/tokens'],
  [404, 'GET', '/v1/ca/nowhere.pem'],
  [404, 'GET', '/nowhere'],
  [405, 'GET', '/v1/tokens'],
  [404, 'GET', '/%zz'],
  [404, 'GET', `/v1/ca/${'a'.repeat(5000)}.pem`],
] as const)('a reply with %i to %s %s has the common headers', async (status, method, url) => {
  const { app } = await startApi()
  const { statusCode, headers } = await app.inject({ method, url })
  expect(statusCode).toBe(status)
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  for (const name of ['x-powered-by', 'server', 'access-control-allow-origin', 'strict-transport-security'])
    expect(headers).not.toHaveProperty(name)
})

test('X-Request-Id is not the one that the caller sent', async () => {
  const { url } = await startApi()
  const { headers } = await request(url)
    .get('/healthz')
    .set('x-request-id', 'chosen')
    .set('request-id', 'chosen')
  expect(headers['x-request-id']).not.toBe('chosen')
})

describe('not_found', () => {
  test.each([
    ['get', '/'],
    ['get', '/v1/tokens/'],
    ['get', '/v2/tokens'],
    ['get', '/metrics'],
    ['get', '/%zz'],
    ['get', '/%00'],
    ['get', '/../../etc/passwd'],
  ] as const)('is the reply to %s %s', async (method, path) => {
    const { app, records } = await startApi()
    const reply = await app.inject({ method, url: path })
    expect(reply.statusCode).toBe(404)
    expect(reply.json()).toMatchObject({ code: 'not_found', status: 404 })
    expect(reply.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'x-content-type-options': 'nosniff',
    })
    expect(records).toEqual([])
  })

  test.each([
    ['get', '/V1/tokens'],
    ['post', '/v1/tokens;x'],
    ['post', '//v1/tokens'],
    ['get', '/v1/ca/x/y.pem'],
    ['get', '/v1/ca/.pem'],
    ['get', '/v1/ca/globalpem'],
    ['options', '*'],
  ] as const)('is the reply to %s %s, which is like a path and is none', async (method, path) => {
    const { app } = await startApi()
    expect((await app.inject({ method, url: path })).statusCode).toBe(404)
  })

  test.each([
    ['text/plain', 'x'],
    ['application/json', '{'],
    ['application/json', ' '.repeat(20_000)],
  ])('is the reply whatever the body is, even %s', async (type, body) => {
    const { url } = await startApi()
    const reply = await request(url).post('/nowhere').set('content-type', type).send(body)
    expect([reply.status, reply.body.code]).toEqual([404, 'not_found'])
  })
})

describe('method_not_allowed', () => {
  test.each([
    ['get', '/v1/tokens', 'POST'],
    ['put', '/v1/tokens', 'POST'],
    ['options', '/v1/tokens', 'POST'],
    ['head', '/v1/tokens', 'POST'],
    ['get', '/v1/tokens?x=/v1/databases', 'POST'],
    ['get', '/v1/%74okens', 'POST'],
    ['trace', '/v1/tokens', 'POST'],
    ['propfind', '/v1/tokens', 'POST'],
    ['delete', '/v1/databases', 'GET, HEAD'],
    ['post', '/v1/databases', 'GET, HEAD'],
    ['post', '/healthz', 'GET, HEAD'],
    ['put', '/readyz', 'GET, HEAD'],
    ['post', '/openapi.json', 'GET, HEAD'],
    ['delete', '/v1/ca/global.pem', 'GET, HEAD'],
    ['delete', '/v1/ca/nowhere.pem', 'GET, HEAD'],
  ] as const)('is the reply to %s %s, with the methods that the path takes', async (method, path, allow) => {
    const { app, records } = await startApi()
    const reply = await app.inject({ method: method as 'get', url: path })
    expect([reply.statusCode, reply.headers.allow]).toEqual([405, allow])
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
    if (method !== 'head')
      expect(reply.json()).toMatchObject({
        type: 'urn:jeton:problem:method_not_allowed',
        code: 'method_not_allowed',
        status: 405,
        detail: `this path takes ${allow}`,
      })
    expect(records).toEqual([])
  })

  test.each(['/healthz', '/v1/ca/global.pem', '/openapi.json'])(
    'is not the reply to HEAD of %s, which has the headers of GET and no body',
    async url => {
      const { app } = await startApi()
      const [head, get] = [
        await app.inject({ method: 'HEAD', url }),
        await app.inject({ method: 'GET', url }),
      ]
      expect([head.statusCode, head.body]).toEqual([200, ''])
      expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.body)))
      expect(head.headers['content-type']).toBe(get.headers['content-type'])
    },
  )
})
