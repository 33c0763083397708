import { describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { appWorld, UNREACHABLE_ISSUER } from '../support/service/app.ts'
import { askToken, expectRefusal } from './support.ts'

const KNOWN = {
  principal: { issuer: 'github', subject: 'someone', claims: { repository_id: '123456' } },
  grant: 'orders-deploy',
  database: 'orders',
  user: 'migrator',
}

test('429 throttled says in which second a turn is free', async () => {
  const slow = { ...ORDERS, newTokensPerSecond: 0.1 }
  const world = await appWorld({ config: { databases: [slow] } })
  const authorization = `ApiKey ${world.apiKey}`
  const first = await askToken(world, { authorization, body: { database: 'orders', user: 'app_ro' } })
  expect(first.status).toBe(200)
  const reply = await askToken(world, { authorization, body: { database: 'orders', user: 'app_rw' } })
  const record = expectRefusal(world, reply, 'throttled')
  expect(reply.headers['retry-after']).toBe('10')
  expect(record).toMatchObject({ principal: { subject: 'nightly-report' }, user: 'app_rw' })
})

test('502 says nothing of when to come back: an operator must act', async () => {
  const world = await appWorld()
  world.faults.sts = new JetonError('role_refused', { publicMessage: 'no', reason: 'the trust policy' })
  const reply = await askToken(world, { authorization: await world.bearer() })
  expect(expectRefusal(world, reply, 'role_refused')).toMatchObject({ ...KNOWN, reason: 'the trust policy' })
  expect(reply.headers).not.toHaveProperty('retry-after')
  expect(reply.text).not.toContain('trust policy')
})

describe('503 says when to come back', () => {
  test('where STS cannot be reached', async () => {
    const world = await appWorld()
    world.faults.sts = new JetonError('temporarily_unavailable', { publicMessage: 'no', retryAfterMs: 1200 })
    const reply = await askToken(world, { authorization: await world.bearer() })
    expect(expectRefusal(world, reply, 'temporarily_unavailable')).toMatchObject(KNOWN)
    expect(reply.headers['retry-after']).toBe('2')
  })

  test('where the audit log cannot be written; the token does not leave', async () => {
    const world = await appWorld()
    world.faults.auditLog = new JetonError('temporarily_unavailable', { publicMessage: 'the audit log' })
    const authorization = await world.bearer()
    const reply = await askToken(world, { authorization })
    expectRefusal(world, reply, 'temporarily_unavailable')
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
    expect(reply.text).not.toContain('X-Amz')
    world.faults.auditLog = undefined
    expect((await askToken(world, { authorization })).status).toBe(200)
  })

  test('where the keys to verify by cannot be had, to the caller that nothing is known of', async () => {
    const world = await appWorld()
    const authorization = await world.bearer({ iss: UNREACHABLE_ISSUER })
    const reply = await askToken(world, { authorization })
    expect(expectRefusal(world, reply, 'temporarily_unavailable').principal).toBeUndefined()
    expect(reply.headers['retry-after']).toBe('30')
  })
})

describe('500 tells nothing', () => {
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
    ['what is no error', SECRET],
    ['undefined', undefined],
    ['null', null],
  ])('of a bug that throws %s, but where it happened to the log', async (_what, thrown) => {
    const world = await appWorld({ vend: () => Promise.reject(thrown) })
    const reply = await askToken(world, { authorization: await world.bearer() })
    const record = expectRefusal(world, reply, 'internal_error')
    expect(reply.headers).not.toHaveProperty('retry-after')
    const logged = world.log.lines.filter(({ level }) => level === 'error')
    expect(logged).toHaveLength(1)
    expect(logged[0]?.fields).toMatchObject({ requestId: reply.body.requestId })
    expect(JSON.stringify([reply.body, reply.headers, record, world.log.lines])).not.toContain(SECRET)
  })

  test('and the log says where, by the frames of its stack', async () => {
    const world = await appWorld({ vend: () => Promise.reject(bug) })
    await askToken(world, { authorization: await world.bearer() })
    const fields = world.log.lines[0]?.fields as unknown as { error: string; stack: string[] }
    expect(fields.error).toBe('TypeError')
    expect(fields.stack[0]).toMatch(/^at .*failures\.test\.ts:\d+:\d+\)?$/)
  })
})
