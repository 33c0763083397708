import request from 'supertest'
import { expect, test } from 'vitest'
import { createAuditLog } from '../../src/audit/audit-log.ts'
import { INDIVIDUAL_LIMIT, LISTING_LIMIT } from '../../src/audit/flood-limits.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { createHealth } from '../../src/telemetry/health.ts'
import { fakeSink } from '../audit/fake-sink.ts'
import { startApi } from '../support/service/app.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'
import { requestToken } from './support.ts'

/** The API with a real audit log on a sink in memory. */
async function startAudited() {
  const fake = fakeSink()
  let flush = async () => {}
  const api = await startApi({
    createAuditLog({ clock }) {
      const parts = { sinks: [fake.sink], clock, health: createHealth(), log: createLogRecorder() }
      const auditLog = createAuditLog(parts)
      flush = () => auditLog.close()
      return auditLog
    },
  })
  const list = (authorization: string) =>
    request(api.url).get('/v1/databases').set('authorization', authorization)
  return { ...api, fake, list, recorded: (): AuditRecord[] => fake.records(), flush: () => flush() }
}

async function tryBadKeys(api: Awaited<ReturnType<typeof startAudited>>, times: number) {
  for (let i = 0; i < times; i++)
    expect((await requestToken(api, { authorization: `ApiKey bad-${i}` })).status).toBeOneOf([401, 429])
}

test('a thief who hides behind bad credentials from the same address is named, in each probe', async () => {
  const api = await startAudited()
  await tryBadKeys(api, INDIVIDUAL_LIMIT + 20)
  const authorization = await api.bearer({ sub: 'repo:acme/stolen' })
  for (let i = 0; i < 15; i++) {
    const reply = await requestToken(api, { authorization, body: { database: `db-${i}` } })
    expect(reply.body.code).toBe('access_denied')
  }
  await api.flush()
  const probes = api.recorded().filter(({ code }) => code === 'access_denied')
  expect(probes).toHaveLength(15)
  for (const [i, probe] of probes.entries())
    expect(probe).toMatchObject({
      decision: 'refused',
      principal: { issuer: 'github', subject: 'repo:acme/stolen' },
      database: `db-${i}`,
      sourceIp: '127.0.0.1',
    })
  const noise = api.recorded().filter(({ count }) => count !== undefined)
  expect(noise.map(({ count }) => count)).toEqual([20])
  expect(noise[0]).toMatchObject({ code: 'rate_limited', sourceIp: '127.0.0.1' })
})

test('a flood of one principal is counted under its name, and an API key counts by its name', async () => {
  const api = await startAudited()
  const authorization = `ApiKey ${api.apiKey}`
  for (let i = 0; i < INDIVIDUAL_LIMIT + 3; i++)
    expect((await requestToken(api, { authorization, body: { database: 'unknown' } })).status).toBe(403)
  await api.flush()
  expect(api.recorded()).toHaveLength(INDIVIDUAL_LIMIT + 1)
  expect(api.recorded().at(-1)).toMatchObject({
    decision: 'refused',
    code: 'access_denied',
    principal: { issuer: 'apiKey', subject: 'nightly-report' },
    sourceIp: '127.0.0.1',
    count: 3,
  })
})

test('what a principal was told is recorded, and one that polls is counted', async () => {
  const api = await startAudited()
  const authorization = await api.bearer({ sub: 'poller' })
  for (let i = 0; i < LISTING_LIMIT + 30; i++) expect((await api.list(authorization)).status).toBe(200)
  await api.list(await api.bearer({ sub: 'another' }))
  await api.flush()
  const listed = api.recorded().filter(({ decision }) => decision === 'listed')
  expect(listed.map(({ principal, count }) => [principal?.subject, count])).toEqual([
    ...Array(LISTING_LIMIT).fill(['poller', undefined]),
    ['another', undefined],
    ['poller', 30],
  ])
})

test('an audit log that cannot be written does not fail a listing: it delivers no token', async () => {
  const api = await startAudited()
  api.fake.fail(new Error('full'))
  const authorization = await api.bearer()
  const reply = await api.list(authorization)
  expect({ status: reply.status, databases: reply.body.databases.length }).toEqual({
    status: 200,
    databases: 1,
  })
  api.fake.fail(undefined)
  await api.flush()
  expect(api.recorded()).toMatchObject([{ decision: 'listed', principal: { issuer: 'github' } }])
})
