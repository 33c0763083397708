import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { startApi } from '../../support/service/app.ts'

describe('GET /v1/ca/{name}.pem', () => {
  test.each(['us-east-1', 'eu-central-1', 'global', 'proxy'])(
    'serves %s.pem, certificates alone, to everyone',
    async name => {
      const { url } = await startApi()
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

  test('answers 304 without a body to a client that has the bundle', async () => {
    const { url } = await startApi()
    const path = '/v1/ca/us-east-1.pem'
    const { etag = '' } = (await request(url).get(path)).headers
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const reply = await request(url).get(path).set('if-none-match', known)
      expect([reply.status, reply.text, reply.headers.etag]).toEqual([304, '', etag])
    }
    for (const other of ['"other"', etag.slice(1, -1), `"${etag}"`])
      expect((await request(url).get(path).set('if-none-match', other)).status).toBe(200)
  })

  test('serves another bundle once a certificate has expired', async () => {
    const { url, clock } = await startApi()
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
  ])('answers 404 for %s', async name => {
    const { app } = await startApi()
    const reply = await app.inject({ url: `/v1/ca/${name}` })
    expect([reply.statusCode, reply.json().code]).toEqual([404, 'not_found'])
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  })

  test('answers HEAD with the same headers and no body', async () => {
    const { url } = await startApi()
    const got = await request(url).get('/v1/ca/proxy.pem').buffer(true)
    const head = await request(url).head('/v1/ca/proxy.pem')
    expect(head.status).toBe(200)
    expect(head.text).toBeFalsy()
    expect([head.headers.etag, head.headers['content-length']]).toEqual([
      got.headers.etag,
      String(Buffer.byteLength(got.text)),
    ])
  })
})
