import request from 'supertest'
import { expect, test } from 'vitest'
import { sha256Hex } from '../../src/lib/hash.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { appWorld } from '../support/service/app.ts'

const SOURCE = 'https://truststore.pki.rds.amazonaws.com/us-east-1/us-east-1-bundle.pem'

test('a token is answered with all that a caller needs to log in, and for nobody to keep', async () => {
  const { url, bearer, records } = await appWorld()
  const reply = await request(url)
    .post('/v1/tokens')
    .set('authorization', await bearer())
    .set('user-agent', 'curl/8')
    .send({ database: 'orders', user: 'migrator' })
  expect(reply.status).toBe(200)
  expect(reply.headers['cache-control']).toBe('no-store')
  expect(reply.headers['content-type']).toMatch(/^application\/json/)
  const { token, auditId, ca, ...rest } = reply.body
  expect(token).toMatch(
    /^orders\.c9akciq32xyz\.us-east-1\.rds\.amazonaws\.com:5432\/\?Action=connect&DBUser=migrator&X-Amz-/,
  )
  expect(rest).toEqual({
    database: 'orders',
    engine: 'postgres',
    host: ORDERS.host,
    port: 5432,
    user: 'migrator',
    region: 'us-east-1',
    issuedAt: '2026-11-23T10:00:00Z',
    refreshAfter: '2026-11-23T10:09:00Z',
    expiresAt: '2026-11-23T10:15:00Z',
    expiresIn: 900,
    cached: false,
    fingerprint: sha256Hex(token),
    identity: 'arn:aws:sts::123456789012:assumed-role/jeton-orders/orders.migrator',
    grant: 'orders-deploy',
  })
  expect(ca).toEqual({
    bundle: '/v1/ca/us-east-1.pem',
    source: SOURCE,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    certificates: expect.any(Number),
    notAfter: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/),
    tlsMode: 'verify-full',
  })
  expect(records).toEqual([
    {
      id: auditId,
      time: '2026-11-23T10:00:00.000Z',
      requestId: reply.headers['x-request-id'],
      decision: 'vended',
      principal: { issuer: 'github', subject: 'someone', claims: { repository_id: '123456' } },
      grant: 'orders-deploy',
      database: 'orders',
      user: 'migrator',
      identity: rest.identity,
      fingerprint: rest.fingerprint,
      cached: false,
      issuedAt: rest.issuedAt,
      expiresAt: rest.expiresAt,
      sourceIp: '127.0.0.1',
      userAgent: 'curl/8',
      instance: 'test/1',
    },
  ])
})

test('the same token is answered to the next, cached and with the seconds that it has left', async () => {
  const { url, bearer, clock, records } = await appWorld()
  const ask = async () =>
    request(url)
      .post('/v1/tokens')
      .set('authorization', await bearer())
      .send({ database: 'orders' })
  const first = await ask()
  await clock.advance(7200)
  const second = await ask()
  expect(second.body).toEqual({ ...first.body, cached: true, expiresIn: 892, auditId: expect.any(String) })
  expect(second.body.auditId).not.toBe(first.body.auditId)
  expect(records.map(({ cached }) => cached)).toEqual([false, true])
})

test('the user may be left out where one is granted, and where several are they are named', async () => {
  const { url, bearer, apiKey, records } = await appWorld()
  const one = await request(url)
    .post('/v1/tokens')
    .set('authorization', await bearer())
    .send({ database: 'orders' })
  expect([one.status, one.body.user]).toEqual([200, 'migrator'])
  const several = await request(url)
    .post('/v1/tokens')
    .set('authorization', `ApiKey ${apiKey}`)
    .send({ database: 'orders' })
  expect([several.status, several.body.code]).toEqual([400, 'invalid_request'])
  expect(several.body.detail).toContain('app_ro, app_rw')
  expect(records[1]).toMatchObject({
    decision: 'refused',
    code: 'invalid_request',
    requestId: several.body.requestId,
    principal: { issuer: 'apiKey', subject: 'nightly-report' },
    database: 'orders',
  })
})

test('an API key is as good as a JWT, and the scheme may be written in any case', async () => {
  const { url, apiKey } = await appWorld()
  const reply = await request(url)
    .post('/v1/tokens')
    .set('authorization', `apikey ${apiKey}`)
    .send({ database: 'orders', user: 'app_ro' })
  expect([reply.status, reply.body.user]).toEqual([200, 'app_ro'])
})

test('dbname and connect stand in the reply where they are configured', async () => {
  const dialled = { ...ORDERS, dbname: 'shop', connect: { host: 'db-tunnel.example.com', port: 15432 } }
  const { url, bearer } = await appWorld({ config: { databases: [dialled] } })
  const { body } = await request(url)
    .post('/v1/tokens')
    .set('authorization', await bearer())
    .send({ database: 'orders' })
  expect(body).toMatchObject({ dbname: 'shop', connect: 'db-tunnel.example.com:15432', host: ORDERS.host })
  expect(body.token).toContain(`${ORDERS.host}:5432/`)
})

test('an IPv6 address to dial is answered in brackets', async () => {
  const dialled = { ...ORDERS, connect: { host: '::1', port: 5433 } }
  const { url, bearer } = await appWorld({ config: { databases: [dialled] } })
  const { body } = await request(url)
    .post('/v1/tokens')
    .set('authorization', await bearer())
    .send({ database: 'orders' })
  expect(body.connect).toBe('[::1]:5433')
})

test('caPem adds the PEM itself, the one that the bundle route serves', async () => {
  const { url, bearer } = await appWorld()
  const { body } = await request(url)
    .post('/v1/tokens')
    .set('authorization', await bearer())
    .send({ database: 'orders', caPem: true })
  expect(body.ca.pem).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
  expect(sha256Hex(body.ca.pem)).toBe(body.ca.sha256)
  expect(body.ca.pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(body.ca.certificates)
  const served = await request(url).get(body.ca.bundle).buffer(true)
  expect(served.text).toBe(body.ca.pem)
})

test('a token reported as refused is replaced, another one is not', async () => {
  const { url, bearer, clock, records } = await appWorld()
  const ask = async (refused?: string) =>
    (
      await request(url)
        .post('/v1/tokens')
        .set('authorization', await bearer())
        .send({ database: 'orders', ...(refused && { refused }) })
    ).body
  const first = await ask()
  await clock.advance(20_000)
  expect((await ask('0'.repeat(64))).fingerprint).toBe(first.fingerprint)
  const second = await ask(first.fingerprint)
  expect(second.cached).toBe(false)
  expect(second.fingerprint).not.toBe(first.fingerprint)
  expect(records.at(-1)).toMatchObject({ decision: 'vended', refused: first.fingerprint })
})
