import { expect, test } from 'vitest'
import { createAuthFailureLimiter } from '../../src/http/auth-failure-limiter.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { type AppWorld, appWorld, UNREACHABLE_ISSUER } from '../support/service/app.ts'
import { askToken, expectRefusal } from './support.ts'

/** Fails to authenticate so many times and gives the last status. */
async function fail(
  world: AppWorld,
  times: number,
  from: { remoteAddress?: string; forwardedFor?: string } = {},
) {
  let status = 0
  for (let i = 0; i < times; i++) {
    const reply = await world.app.inject({
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

test('a hundred failures a minute are answered as such, the next as too many', async () => {
  const world = await appWorld()
  expect(await fail(world, 100)).toBe(401)
  const reply = await askToken(world, { authorization: 'Bearer bad' })
  const record = expectRefusal(world, reply, 'rate_limited')
  expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0)
  expect(Number(reply.headers['retry-after'])).toBeLessThanOrEqual(60)
  expect(record.reason).toBe('the credential is not a signed JWT')
})

test('a credential that verifies is not refused for failures from its own address, on any route', async () => {
  const world = await appWorld()
  expect(await fail(world, 150)).toBe(429)
  const authorization = await world.bearer()
  expect((await askToken(world, { authorization })).status).toBe(200)
  const databases = await world.app.inject({ url: '/v1/databases', headers: { authorization } })
  expect(databases.statusCode).toBe(200)
  expect(await fail(world, 1)).toBe(429)
})

test('failures count together on all routes, and are over after a minute', async () => {
  const world = await appWorld()
  expect(await fail(world, 100)).toBe(401)
  const databases = () => world.app.inject({ url: '/v1/databases' })
  expect((await databases()).statusCode).toBe(429)
  await world.clock.advance(59_999)
  expect((await databases()).statusCode).toBe(429)
  await world.clock.advance(1)
  expect((await databases()).statusCode).toBe(401)
})

test('what is refused for another reason does not count', async () => {
  const world = await appWorld()
  const stranger = await world.bearer({ repository_id: '666' })
  const unreachable = await world.bearer({ iss: UNREACHABLE_ISSUER })
  const ask = async (authorization: string, payload: object) =>
    (await world.app.inject({ method: 'POST', url: '/v1/tokens', headers: { authorization }, payload }))
      .statusCode
  for (let i = 0; i < 101; i++) {
    expect(await ask(stranger, { database: 'orders' })).toBe(403)
    expect(await ask(stranger, {})).toBe(400)
    expect(await ask(unreachable, { database: 'orders' })).toBe(503)
  }
  expect(await fail(world, 1)).toBe(401)
})

test('sources are told apart: an IPv4 address, however it is written, and an IPv6 network of 64 bits', async () => {
  const world = await appWorld()
  expect(await fail(world, 101, { remoteAddress: '192.0.2.1' })).toBe(429)
  expect(await fail(world, 1, { remoteAddress: '::ffff:192.0.2.1' })).toBe(429)
  expect(await fail(world, 1, { remoteAddress: '192.0.2.2' })).toBe(401)
  for (let i = 0; i < 100; i++) await fail(world, 1, { remoteAddress: `2001:db8::${i.toString(16)}` })
  expect(await fail(world, 1, { remoteAddress: '2001:db8::ffff:1' })).toBe(429)
  expect(await fail(world, 1, { remoteAddress: '2001:db8:0:1::1' })).toBe(401)
})

test('a source is not forgotten because thousands of others fail too', async () => {
  const world = await appWorld({ options: { behindProxy: 1 } })
  expect(await fail(world, 101, { forwardedFor: '192.0.2.1' })).toBe(429)
  for (let i = 0; i < 6000; i++) await fail(world, 1, { forwardedFor: `10.0.${i >> 8}.${i & 255}` })
  expect(await fail(world, 1, { forwardedFor: '192.0.2.1' })).toBe(429)
})

test('a caller cannot choose where its failures are counted', async () => {
  const world = await appWorld()
  for (let i = 0; i < 100; i++) await fail(world, 1, { forwardedFor: `192.0.2.${i}` })
  expect(await fail(world, 1, { forwardedFor: '198.51.100.1' })).toBe(429)
})

test('a connection that was reset meanwhile, and has no address any more, is counted too', () => {
  const failures = createAuthFailureLimiter(virtualClock())
  for (let i = 0; i < 100; i++) expect(failures.count(undefined)).toBeUndefined()
  expect(failures.count(undefined)).toBe(60_000)
})
