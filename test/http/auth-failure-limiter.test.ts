import { expect, test } from 'vitest'
import { createAuthFailureLimiter } from '../../src/http/auth-failure-limiter.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { startApi, type TestApi, UNREACHABLE_ISSUER } from '../support/service/app.ts'
import { expectRefusal, requestToken } from './support.ts'

/** Fails to authenticate, once by default, and returns the last status. */
async function fail(
  api: TestApi,
  { times = 1, ...from }: { times?: number; remoteAddress?: string; forwardedFor?: string } = {},
) {
  let status = 0
  for (let i = 0; i < times; i++) {
    const reply = await api.app.inject({
      method: 'POST',
      url: '/v1/tokens',
      headers: {
        authorization: 'Bearer bad',
        ...(from.forwardedFor && { 'x-forwarded-for': from.forwardedFor }),
      },
      ...(from.remoteAddress && { remoteAddress: from.remoteAddress }),
    })
    status = reply.statusCode
  }
  return status
}

test('a hundred failures a minute are unauthenticated, the next is rate_limited', async () => {
  const api = await startApi()
  expect(await fail(api, { times: 100 })).toBe(401)
  const reply = await requestToken(api, { authorization: 'Bearer bad' })
  const record = expectRefusal(api, reply, 'rate_limited')
  expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
  expect(Number(reply.headers['retry-after'])).toBeLessThanOrEqual(60)
  expect(record.reason).toBe('the credential is not a signed JWT')
})

test('a credential that verifies is accepted on every route, despite failures from its own address', async () => {
  const api = await startApi()
  expect(await fail(api, { times: 150 })).toBe(429)
  const authorization = await api.bearer()
  expect((await requestToken(api, { authorization })).status).toBe(200)
  const databases = await api.app.inject({ url: '/v1/databases', headers: { authorization } })
  expect(databases.statusCode).toBe(200)
  expect(await fail(api)).toBe(429)
})

test('failures on all routes count together, until a minute has passed', async () => {
  const api = await startApi()
  expect(await fail(api, { times: 100 })).toBe(401)
  const databases = () => api.app.inject({ url: '/v1/databases' })
  expect((await databases()).statusCode).toBe(429)
  await api.clock.advance(59_999)
  expect((await databases()).statusCode).toBe(429)
  await api.clock.advance(1)
  expect((await databases()).statusCode).toBe(401)
})

test('refusals for other reasons do not count', async () => {
  const api = await startApi()
  const ungranted = await api.bearer({ repository_id: '666' })
  const unreachable = await api.bearer({ iss: UNREACHABLE_ISSUER })
  const statusOf = async (authorization: string, payload: object) =>
    (await api.app.inject({ method: 'POST', url: '/v1/tokens', headers: { authorization }, payload }))
      .statusCode
  for (let i = 0; i < 101; i++) {
    expect(await statusOf(ungranted, { database: 'orders' })).toBe(403)
    expect(await statusOf(ungranted, {})).toBe(400)
    expect(await statusOf(unreachable, { database: 'orders' })).toBe(503)
  }
  expect(await fail(api)).toBe(401)
})

test('a source is an IPv4 address, however it is written, or an IPv6 network of 64 bits', async () => {
  const api = await startApi()
  expect(await fail(api, { times: 101, remoteAddress: '192.0.2.1' })).toBe(429)
  expect(await fail(api, { remoteAddress: '::ffff:192.0.2.1' })).toBe(429)
  expect(await fail(api, { remoteAddress: '192.0.2.2' })).toBe(401)
  for (let i = 0; i < 100; i++) await fail(api, { remoteAddress: `2001:db8::${i.toString(16)}` })
  expect(await fail(api, { remoteAddress: '2001:db8::ffff:1' })).toBe(429)
  expect(await fail(api, { remoteAddress: '2001:db8:0:1::1' })).toBe(401)
})

test('a source is remembered while thousands of others fail', async () => {
  const api = await startApi({ options: { behindProxy: 1 } })
  expect(await fail(api, { times: 101, forwardedFor: '192.0.2.1' })).toBe(429)
  for (let i = 0; i < 6000; i++) await fail(api, { forwardedFor: `10.0.${i >> 8}.${i & 255}` })
  expect(await fail(api, { forwardedFor: '192.0.2.1' })).toBe(429)
})

test('X-Forwarded-For does not change the source, unless a proxy is configured', async () => {
  const api = await startApi()
  for (let i = 0; i < 100; i++) await fail(api, { forwardedFor: `192.0.2.${i}` })
  expect(await fail(api, { forwardedFor: '198.51.100.1' })).toBe(429)
})

test('createAuthFailureLimiter counts connections that were reset, which have no address, as one source', () => {
  const limiter = createAuthFailureLimiter(virtualClock())
  for (let i = 0; i < 100; i++) expect(limiter.count(undefined)).toBeUndefined()
  expect(limiter.count(undefined)).toBe(60_000)
})
