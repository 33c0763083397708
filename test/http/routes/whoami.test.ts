import request from 'supertest'
import { expect, test } from 'vitest'
import { ORDERS } from '../../support/databases/orders.ts'
import { startApi } from '../../support/service/app.ts'
import { expectRefusal } from '../support.ts'

const LEDGER = { ...ORDERS, name: 'ledger' }
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
    principal: { issuer: 'apiKey', subject: 'nightly-report' },
    database: 'ledger',
    users: ['auditor'],
  },
]

function start() {
  return startApi({ config: { databases: [ORDERS, LEDGER], grants: GRANTS } })
}

test('GET /v1/whoami tells whom the credential stands for, and what it may have tokens for', async () => {
  const { url, bearer, records } = await start()
  const reply = await request(url)
    .get('/v1/whoami')
    .set('authorization', await bearer({ email: 'someone@example.com' }))
  expect(reply.status).toBe(200)
  expect(reply.headers['cache-control']).toBe('no-store')
  expect(reply.body).toEqual({
    principal: {
      issuer: 'github',
      subject: 'someone',
      claims: { repository_id: '123456', ref: 'refs/heads/main' },
    },
    databases: [{ name: 'orders', users: ['app_ro', 'app_rw'] }],
  })
  expect(records).toEqual([
    expect.objectContaining({
      decision: 'listed',
      code: undefined,
      principal: reply.body.principal,
      sourceIp: '127.0.0.1',
      requestId: reply.headers['x-request-id'],
    }),
  ])
})

test('an API key has a name, and no claims', async () => {
  const { url, apiKey } = await start()
  const reply = await request(url).get('/v1/whoami').set('authorization', `ApiKey ${apiKey}`)
  expect(reply.body).toEqual({
    principal: { issuer: 'apiKey', subject: 'nightly-report', claims: {} },
    databases: [{ name: 'ledger', users: ['auditor'] }],
  })
  expect(reply.text).not.toContain(apiKey)
})

test('a principal without any grant gets an empty list, and learns of nothing that others may have', async () => {
  const { url, bearer, records } = await start()
  const authorization = await bearer({ repository_id: '1', ref: 'refs/heads/x' })
  const reply = await request(url).get('/v1/whoami').set('authorization', authorization)
  expect(reply.status).toBe(200)
  expect(reply.body).toEqual({
    principal: { issuer: 'github', subject: 'someone', claims: { repository_id: '1', ref: 'refs/heads/x' } },
    databases: [],
  })
  for (const foreign of ['orders', 'ledger', 'app_ro', 'auditor', ORDERS.roleArn, ORDERS.host])
    expect(reply.text).not.toContain(foreign)
  expect(records).toMatchObject([{ decision: 'listed' }])
})

test('what is in the claims stays text', async () => {
  const { url, bearer } = await start()
  const sub = '"}],"databases":[{"name":"ledger"\n'
  const reply = await request(url)
    .get('/v1/whoami')
    .set('authorization', await bearer({ sub, ref: { __proto__: 'x', toString: '\u0007' } }))
  expect(reply.body.principal).toMatchObject({ subject: sub })
  expect(reply.body.databases).toEqual([{ name: 'orders', users: ['app_ro'] }])
})

test('nothing of the claims that a terminal or a log could take for its own stands raw in the reply', async () => {
  const { url, bearer } = await start()
  const sub = 'a\u2028b\u202ec\u009b31md\u0000'
  const reply = await request(url)
    .get('/v1/whoami')
    .set('authorization', await bearer({ sub, ref: sub }))
  expect(reply.text).toMatch(/^[ -~]*$/)
  expect(reply.body.principal).toMatchObject({ subject: sub, claims: { ref: sub } })
})

test.each(['get', 'head'] as const)('%s /v1/whoami is for verified callers only', async method => {
  const api = await start()
  const reply = await request(api.url)[method]('/v1/whoami').set('authorization', 'Bearer bad')
  expect(reply.status).toBe(401)
  if (method === 'get') expectRefusal(api, reply, 'unauthenticated')
  else expect(api.records).toMatchObject([{ code: 'unauthenticated' }])
})
