import { describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { startApi, UNREACHABLE_ISSUER } from '../support/service/app.ts'
import { expectRefusal, requestToken } from './support.ts'

const KNOWN = {
  principal: { issuer: 'github', subject: 'someone', claims: { repository_id: '123456' } },
  grant: 'orders-deploy',
  database: 'orders',
  user: 'migrator',
}

test('throttled has in Retry-After the second from which on a request gets the next free slot', async () => {
  const slow = { ...ORDERS, newTokensPerSecond: 0.1 }
  const api = await startApi({ config: { databases: [slow] } })
  const authorization = `ApiKey ${api.apiKey}`
  const first = await requestToken(api, { authorization, body: { database: 'orders', user: 'app_ro' } })
  expect(first.status).toBe(200)
  const reply = await requestToken(api, { authorization, body: { database: 'orders', user: 'app_rw' } })
  const record = expectRefusal(api, reply, 'throttled')
  // the slot is 10.4 s ahead, and the grant that had the last one may reach 2.5 s ahead
  expect(reply.headers['retry-after']).toBe('8')
  expect(record).toMatchObject({ principal: { subject: 'nightly-report' }, user: 'app_rw' })
})

test('role_refused has no Retry-After: an operator must act', async () => {
  const api = await startApi()
  api.faults.sts = new JetonError('role_refused', { publicMessage: 'no', reason: 'the trust policy' })
  const reply = await requestToken(api, { authorization: await api.bearer() })
  expect(expectRefusal(api, reply, 'role_refused')).toMatchObject({ ...KNOWN, reason: 'the trust policy' })
  expect(reply.headers).not.toHaveProperty('retry-after')
  expect(reply.text).not.toContain('trust policy')
})

describe('temporarily_unavailable has Retry-After', () => {
  test('if STS cannot be reached', async () => {
    const api = await startApi()
    api.faults.sts = new JetonError('temporarily_unavailable', { publicMessage: 'no', retryAfterMs: 1200 })
    const reply = await requestToken(api, { authorization: await api.bearer() })
    expect(expectRefusal(api, reply, 'temporarily_unavailable')).toMatchObject(KNOWN)
    expect(reply.headers['retry-after']).toBe('2')
  })

  test('if the audit log cannot be written, and the token is not delivered', async () => {
    const api = await startApi()
    api.faults.auditLog = new JetonError('temporarily_unavailable', { publicMessage: 'the audit log' })
    const authorization = await api.bearer()
    const reply = await requestToken(api, { authorization })
    expectRefusal(api, reply, 'temporarily_unavailable')
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
    expect(reply.text).not.toContain('X-Amz')
    api.faults.auditLog = undefined
    expect((await requestToken(api, { authorization })).status).toBe(200)
  })

  test('if the keys of an issuer cannot be fetched, and the record has no principal', async () => {
    const api = await startApi()
    const authorization = await api.bearer({ iss: UNREACHABLE_ISSUER })
    const reply = await requestToken(api, { authorization })
    expect(expectRefusal(api, reply, 'temporarily_unavailable').principal).toBeUndefined()
    expect(reply.headers['retry-after']).toBe('2')
  })
})

describe('internal_error', () => {
  const SECRET = 'secret-8d1f'
  const bug = Object.assign(
    new TypeError(`cannot read ${SECRET}\n    at ${SECRET}\n  at ${SECRET} (x:1:2)`),
    {
      token: SECRET,
      cause: new Error(SECRET),
    },
  )

  test.each([
    ['an error', bug],
    [
      'an error with a status and a code of its own',
      Object.assign(new Error(SECRET), { statusCode: 418, code: 'E' }),
    ],
    ['a string', SECRET],
    ['undefined', undefined],
    ['null', null],
  ])(
    'says nothing about a bug that throws %s, neither in the reply nor in the log',
    async (_what, thrown) => {
      const api = await startApi({ vend: () => Promise.reject(thrown) })
      const reply = await requestToken(api, { authorization: await api.bearer() })
      const record = expectRefusal(api, reply, 'internal_error')
      expect(reply.headers).not.toHaveProperty('retry-after')
      const logged = api.log.lines.filter(({ level }) => level === 'error')
      expect(logged).toHaveLength(1)
      expect(logged[0]?.fields).toMatchObject({ requestId: reply.body.requestId })
      expect(JSON.stringify([reply.body, reply.headers, record, api.log.lines])).not.toContain(SECRET)
    },
  )

  test('is logged with the name of the error and the frames of its stack', async () => {
    const api = await startApi({ vend: () => Promise.reject(bug) })
    await requestToken(api, { authorization: await api.bearer() })
    const fields = api.log.lines[0]?.fields as unknown as { error: string; stack: string[] }
    expect(fields.error).toBe('TypeError')
    expect(fields.stack[0]).toMatch(/^at .*problem\.test\.ts:\d+:\d+\)?$/)
  })
})

test('a refusal is on its way before anything is recorded, so that its time tells nothing of the record', async () => {
  const api = await startApi()
  let recordsAtReply: number | undefined
  api.app.server.once('request', (_request, response) => {
    response.once('prefinish', () => {
      recordsAtReply = api.records.length
    })
  })
  const reply = await requestToken(api, { authorization: await api.bearer(), body: { database: 'ledger' } })
  expect(recordsAtReply).toBe(0)
  expectRefusal(api, reply, 'access_denied')
})
