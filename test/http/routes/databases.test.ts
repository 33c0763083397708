import request from 'supertest'
import { expect, test } from 'vitest'
import { ORDERS } from '../../support/databases/orders.ts'
import { startApi } from '../../support/service/app.ts'
import { expectRefusal } from '../support.ts'

const BILLING = {
  ...ORDERS,
  name: 'billing',
  engine: 'mysql' as const,
  host: 'proxy.proxy-c9akciq32xyz.eu-west-1.rds.amazonaws.com',
  region: 'eu-west-1',
  kind: 'proxy' as const,
  port: 3306,
  dbname: 'ledger',
}
const GRANTS = [
  {
    name: 'a',
    principal: { issuer: 'github', claims: { repository_id: 123456 } },
    database: 'orders',
    users: ['app_ro'],
  },
  {
    name: 'b',
    principal: { issuer: 'github', claims: { ref: 'refs/heads/main' } },
    database: 'orders',
    users: ['app_rw', 'app_ro'],
  },
  {
    name: 'c',
    principal: { issuer: 'github', claims: { ref: 'refs/heads/main' } },
    database: 'billing',
    users: ['clerk'],
  },
  {
    name: 'd',
    principal: { issuer: 'apiKey', subject: 'nightly-report' },
    database: 'billing',
    users: ['auditor'],
  },
]

test('GET /v1/databases lists what the principal may have tokens for, and how to connect', async () => {
  const { url, bearer, records } = await startApi({
    config: { databases: [ORDERS, BILLING], grants: GRANTS },
  })
  const reply = await request(url)
    .get('/v1/databases')
    .set('authorization', await bearer())
  expect(reply.status).toBe(200)
  expect(reply.headers['cache-control']).toBe('no-store')
  const { databases } = reply.body
  expect(databases).toEqual([
    {
      database: 'orders',
      engine: 'postgres',
      host: ORDERS.host,
      port: 5432,
      region: 'us-east-1',
      users: ['app_ro', 'app_rw'],
      ca: expect.objectContaining({ bundle: '/v1/ca/us-east-1.pem', tlsMode: 'verify-full' }),
    },
    {
      database: 'billing',
      engine: 'mysql',
      host: BILLING.host,
      port: 3306,
      region: 'eu-west-1',
      dbname: 'ledger',
      users: ['clerk'],
      ca: expect.objectContaining({ bundle: '/v1/ca/proxy.pem' }),
    },
  ])
  expect(reply.text).not.toContain('BEGIN CERTIFICATE')
  expect(records).toEqual([
    expect.objectContaining({
      decision: 'listed',
      code: undefined,
      principal: expect.objectContaining({ issuer: 'github', subject: 'someone' }),
      sourceIp: '127.0.0.1',
      requestId: reply.headers['x-request-id'],
    }),
  ])
})

test('GET /v1/databases says nothing about databases and users that are not granted', async () => {
  const { url, bearer, apiKey } = await startApi({ config: { databases: [ORDERS, BILLING], grants: GRANTS } })
  const listed = async (authorization: string) =>
    (await request(url).get('/v1/databases').set('authorization', authorization)).text
  const body = await listed(`ApiKey ${apiKey}`)
  expect(body).toContain('"users":["auditor"]')
  for (const foreign of ['orders', 'clerk', 'roleArn', ORDERS.resourceId, ORDERS.roleArn])
    expect(body).not.toContain(foreign)
  expect(await listed(await bearer({ repository_id: 1, ref: 'refs/heads/x' }))).toBe('{"databases":[]}')
})

test.each(['get', 'head'] as const)('%s /v1/databases is for verified callers only', async method => {
  const api = await startApi()
  const reply = await request(api.url)[method]('/v1/databases').set('authorization', 'Bearer bad')
  expect(reply.status).toBe(401)
  if (method === 'get') expectRefusal(api, reply, 'unauthenticated')
  else expect(api.records).toMatchObject([{ code: 'unauthenticated' }])
})
