import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { createAuditLog } from '../../../src/audit/audit-log.ts'
import { INDIVIDUAL_LIMIT } from '../../../src/audit/flood-limits.ts'
import { sha256Hex } from '../../../src/lib/hash.ts'
import { createHealth } from '../../../src/telemetry/health.ts'
import { fakeSink } from '../../audit/fake-sink.ts'
import { settle } from '../../support/clock/virtual-clock.ts'
import { ORDERS } from '../../support/databases/orders.ts'
import { startApi } from '../../support/service/app.ts'
import { createLogRecorder } from '../../support/service/log-recorder.ts'
import { expectRefusal, requestToken } from '../support.ts'

const SOURCE = 'https://truststore.pki.rds.amazonaws.com/us-east-1/us-east-1-bundle.pem'

test('POST /v1/tokens says how long a token took, a new one and one from the cache', async () => {
  const tookMs: number[] = []
  const { sink, hold, release } = fakeSink()
  let batches = 0
  const append: typeof sink.append = lines => {
    batches++
    return sink.append(lines)
  }
  const api = await startApi({
    onVended: ({ durationMs }) => void tookMs.push(durationMs),
    createAuditLog: ({ clock }) =>
      createAuditLog({
        sinks: [{ ...sink, append }],
        clock,
        health: createHealth(),
        log: createLogRecorder(),
      }),
  })
  for (const waitMs of [1500, 40]) {
    hold()
    const before = batches
    const reply = requestToken(api, { authorization: await api.bearer() }).then(({ status }) => status)
    await expect.poll(() => batches).toBe(before + 1)
    await api.clock.advance(waitMs)
    release()
    expect(await reply).toBe(200)
  }
  expect(tookMs).toEqual([1500, 40])
})

test('POST /v1/tokens replies with all that a caller needs to log in, and is not to be stored by proxies', async () => {
  const { url, bearer, records } = await startApi()
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

test('the next request gets the same token, as cached and with the seconds that it has left', async () => {
  const { url, bearer, clock, records } = await startApi()
  const vend = async () => requestToken({ url }, { authorization: await bearer() })
  const first = await vend()
  await clock.advance(7200)
  const second = await vend()
  expect(second.body).toEqual({ ...first.body, cached: true, expiresIn: 892, auditId: expect.any(String) })
  expect(second.body.auditId).not.toBe(first.body.auditId)
  expect(records.map(({ cached }) => cached)).toEqual([false, true])
})

test('the user may be left out if one is granted; if several are, the reply names them', async () => {
  const { url, bearer, apiKey, records } = await startApi()
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

test('an API key gets a token, with the scheme in any case', async () => {
  const { url, apiKey } = await startApi()
  const reply = await request(url)
    .post('/v1/tokens')
    .set('authorization', `apikey ${apiKey}`)
    .send({ database: 'orders', user: 'app_ro' })
  expect([reply.status, reply.body.user]).toEqual([200, 'app_ro'])
})

test('the reply has dbname and connect if they are configured', async () => {
  const dialled = { ...ORDERS, dbname: 'shop', connect: { host: 'db-tunnel.example.com', port: 15432 } }
  const { url, bearer } = await startApi({ config: { databases: [dialled] } })
  const { body } = await request(url)
    .post('/v1/tokens')
    .set('authorization', await bearer())
    .send({ database: 'orders' })
  expect(body).toMatchObject({ dbname: 'shop', connect: 'db-tunnel.example.com:15432', host: ORDERS.host })
  expect(body.token).toContain(`${ORDERS.host}:5432/`)
})

test('an IPv6 address in connect is in brackets', async () => {
  const dialled = { ...ORDERS, connect: { host: '::1', port: 5433 } }
  const { url, bearer } = await startApi({ config: { databases: [dialled] } })
  const { body } = await request(url)
    .post('/v1/tokens')
    .set('authorization', await bearer())
    .send({ database: 'orders' })
  expect(body.connect).toBe('[::1]:5433')
})

test('caPem adds the PEM that the bundle route serves, each time, behind all else that is said of it', async () => {
  const { url, bearer } = await startApi()
  const authorization = await bearer()
  const caOf = async (body: object) =>
    (await request(url).post('/v1/tokens').set('authorization', authorization).send(body)).body.ca
  const plain = await caOf({ database: 'orders' })
  const { text: pem } = await request(url).get(plain.bundle).buffer(true)
  expect(pem).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
  expect(sha256Hex(pem)).toBe(plain.sha256)
  expect(pem.match(/BEGIN CERTIFICATE/g)).toHaveLength(plain.certificates)
  for (let i = 0; i < 2; i++)
    expect(JSON.stringify(await caOf({ database: 'orders', caPem: true }))).toBe(
      JSON.stringify({ ...plain, pem }),
    )
})

test('a token reported as refused is replaced; an unknown fingerprint changes nothing', async () => {
  const { url, bearer, clock, records } = await startApi()
  const vend = async (refused?: string) => {
    const body = { database: 'orders', ...(refused && { refused }) }
    return (await requestToken({ url }, { authorization: await bearer(), body })).body
  }
  const first = await vend()
  await clock.advance(20_000)
  expect((await vend('0'.repeat(64))).fingerprint).toBe(first.fingerprint)
  const second = await vend(first.fingerprint)
  expect(second.cached).toBe(false)
  expect(second.fingerprint).not.toBe(first.fingerprint)
  expect(records.at(-1)).toMatchObject({ decision: 'vended', refused: first.fingerprint })
})

test('minimumSeconds has another token minted if the current one has less left', async () => {
  const { url, bearer, records, clock } = await startApi()
  const authorization = await bearer()
  const vend = async (minimumSeconds?: number) => {
    const body = { database: 'orders', ...(minimumSeconds !== undefined && { minimumSeconds }) }
    return (await requestToken({ url }, { authorization, body })).body
  }
  const first = await vend()
  await clock.advance(200_000)
  expect((await vend(600)).fingerprint).toBe(first.fingerprint)
  const second = await vend(840)
  expect(second).toMatchObject({ cached: false, expiresIn: expect.toSatisfy(left => left >= 840) })
  expect((await vend()).fingerprint).toBe(second.fingerprint)
  expect(records.map(({ decision, cached }) => [decision, cached])).toEqual([
    ['vended', false],
    ['vended', true],
    ['vended', false],
    ['vended', true],
  ])
})

describe('access_denied', () => {
  test('looks the same for an unknown database and one that is not granted', async () => {
    const api = await startApi()
    const authorization = await api.bearer({ repository_id: '666' })
    const replies = []
    for (const database of ['orders', 'no-such-database', 'constructor', '__proto__']) {
      const reply = await requestToken(api, { authorization, body: { database, user: 'migrator' } })
      const record = expectRefusal(api, reply, 'access_denied')
      expect(record).toMatchObject({ principal: { issuer: 'github', subject: 'someone' }, database })
      expect(record.reason).toContain('nearest grant orders-deploy')
      replies.push({ text: withoutIds(reply), headers: headersOf(reply) })
    }
    expect(new Set(replies.map(reply => JSON.stringify(reply))).size).toBe(1)
    expect(JSON.stringify(replies)).not.toContain('orders')
  })

  test('tells the caller its own issuer and subject alone, as text whatever is in them', async () => {
    const api = await startApi()
    const sub = 'repo:acme/\u202eevil",\n"databases":["orders"]\u0000\ud800'
    const authorization = await api.bearer({ sub, repository_id: '666', secret: 'claim-6f2a' })
    const reply = await requestToken(api, { authorization })
    expectRefusal(api, reply, 'access_denied')
    expect(reply.body.principal).toEqual({
      issuer: 'github',
      subject: api.records.at(-1)?.principal?.subject,
    })
    expect(reply.text).toMatch(/^[ -~]+$/)
    expect(reply.text).not.toContain('claim-6f2a')
  })

  test('names the record that counts it if floods are only counted, and that record is written', async () => {
    const sink = fakeSink()
    const api = await startApi({
      createAuditLog: ({ clock }) =>
        createAuditLog({ sinks: [sink.sink], clock, health: createHealth(), log: createLogRecorder() }),
    })
    const authorization = await api.bearer({ repository_id: '666' })
    const ids: string[] = []
    for (let i = 0; i < INDIVIDUAL_LIMIT + 5; i++)
      ids.push((await requestToken(api, { authorization })).body.auditId)
    await api.clock.advance(60_000)
    await requestToken(api, { authorization })
    await settle()
    const records = sink.records()
    expect(new Set(ids).size).toBe(INDIVIDUAL_LIMIT + 1)
    for (const id of new Set(ids)) expect(records.map(record => record.id)).toContain(id)
    expect(records.find(({ id }) => id === ids.at(-1))).toMatchObject({ code: 'access_denied', count: 5 })
  })

  test('looks the same for an unknown user and one that is not granted', async () => {
    const api = await startApi()
    const authorization = await api.bearer()
    const texts = []
    for (const user of ['app_rw', 'no_such_user']) {
      const reply = await requestToken(api, { authorization, body: { database: 'orders', user } })
      expect(expectRefusal(api, reply, 'access_denied')).toMatchObject({ user })
      texts.push(withoutIds(reply))
    }
    expect(texts[0]).toBe(texts[1])
  })
})

function withoutIds({ text, body }: { text: string; body: { requestId: string; auditId: string } }): string {
  return text.replace(body.requestId, '').replace(body.auditId, '')
}

function headersOf({ headers }: { headers: Record<string, string> }) {
  const { 'x-request-id': _id, date: _date, ...others } = headers
  return others
}
