import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/lib/hash.ts'
import { appWorld } from '../support/service/app.ts'

describe('GET /v1/ca', () => {
  test.each(['us-east-1', 'eu-central-1', 'global', 'proxy'])(
    '%s.pem is certificates alone, open to all',
    async name => {
      const { url } = await appWorld()
      const reply = await request(url).get(`/v1/ca/${name}.pem`).buffer(true)
      expect(reply.status).toBe(200)
      expect(reply.headers).toMatchObject({
        'content-type': 'application/pem-certificate-chain',
        'cache-control': 'public, max-age=3600',
        etag: `"${sha256Hex(reply.text)}"`,
      })
      expect(reply.text).toMatch(/^(-----BEGIN CERTIFICATE-----\n[\w+/=\n]+-----END CERTIFICATE-----\n)+$/)
    },
  )

  test('answers 304 without a body to who has it', async () => {
    const { url } = await appWorld()
    const path = '/v1/ca/us-east-1.pem'
    const { etag = '' } = (await request(url).get(path)).headers
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const reply = await request(url).get(path).set('if-none-match', known)
      expect([reply.status, reply.text, reply.headers.etag]).toEqual([304, '', etag])
    }
    for (const other of ['"other"', etag.slice(1, -1), `"${etag}"`])
      expect((await request(url).get(path).set('if-none-match', other)).status).toBe(200)
  })

  test('is another after a certificate has expired', async () => {
    const { url, clock } = await appWorld()
    const etagNow = async () => (await request(url).get('/v1/ca/global.pem')).headers.etag
    const before = await etagNow()
    await clock.advance(50 * 365 * 24 * 3_600_000)
    expect(await etagNow()).not.toBe(before)
  })

  test.each([
    'nowhere-1.pem',
    'us-east-1',
    'us-east-1.pem.pem',
    'us-east-1.crt',
    'US-EAST-1.pem',
    '.pem',
    'constructor.pem',
    '__proto__.pem',
    '..%2f..%2fetc%2fpasswd.pem',
    'us-east-1%00.pem',
    'us-east-1.pem%0a',
    `${'a'.repeat(5000)}.pem`,
    '%f0%28.pem',
    'global.pem/',
  ])('does not know %s', async name => {
    const { app } = await appWorld()
    const reply = await app.inject({ url: `/v1/ca/${name}` })
    expect([reply.statusCode, reply.json().code]).toEqual([404, 'not_found'])
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  })

  test('tells a HEAD the same without the body', async () => {
    const { url } = await appWorld()
    const got = await request(url).get('/v1/ca/proxy.pem').buffer(true)
    const told = await request(url).head('/v1/ca/proxy.pem')
    expect(told.status).toBe(200)
    expect(told.text).toBeFalsy()
    expect([told.headers.etag, told.headers['content-length']]).toEqual([
      got.headers.etag,
      String(Buffer.byteLength(got.text)),
    ])
  })
})

describe('health', () => {
  test('is alive, whatever is degraded', async () => {
    const { url, health } = await appWorld()
    health.report('sts', { ok: false })
    const reply = await request(url).get('/healthz')
    expect([reply.status, reply.body]).toEqual([200, { status: 'ok' }])
    expect(reply.headers['cache-control']).toBe('no-store')
  })

  test('is ready with what is degraded, and after it has recovered without', async () => {
    const { url, health } = await appWorld()
    const ready = async () => {
      const { status, body } = await request(url).get('/readyz')
      return [status, body]
    }
    expect(await ready()).toEqual([200, { status: 'ready', degraded: [] }])
    for (const part of ['log', 'sts', 'store', 'keys'] as const) health.report(part, { ok: false })
    expect(await ready()).toEqual([200, { status: 'degraded', degraded: ['sts', 'store', 'keys', 'log'] }])
    for (const part of ['sts', 'store', 'keys'] as const) health.report(part, { ok: true })
    expect(await ready()).toEqual([200, { status: 'degraded', degraded: ['log'] }])
  })
})

test.each(['/healthz', '/readyz', '/openapi.json', '/v1/ca/global.pem', '/v1/databases', '/nowhere'])(
  '%s comes with the headers that keep browsers from doing anything with it',
  async path => {
    const { url } = await appWorld()
    const { headers } = await request(url).get(path)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    for (const told of ['x-powered-by', 'server', 'access-control-allow-origin', 'strict-transport-security'])
      expect(headers).not.toHaveProperty(told)
  },
)

test('a request id of the caller is not taken over', async () => {
  const { url } = await appWorld()
  const { headers } = await request(url)
    .get('/healthz')
    .set('x-request-id', 'chosen')
    .set('request-id', 'chosen')
  expect(headers['x-request-id']).not.toBe('chosen')
})
