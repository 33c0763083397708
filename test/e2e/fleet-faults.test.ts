import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, FLEET_START_MS, type Fleet, startFleet, USERS } from '../support/service/fleet.ts'
import {
  countAssumeRoleCalls,
  countMintedTokens,
  readDegraded,
  sumMetric,
} from '../support/service/fleet-observations.ts'
import type { Jeton } from '../support/service/jeton.ts'

/** Three server processes whose store fails: cached tokens are vended, others fail at once, and no restart is needed. */
const [CACHED, COLD] = USERS
const RECOVERY = { timeout: 30_000, interval: 100 }

let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet({ databases: { gone: {}, failing: {}, throttled: {}, slow: {}, slower: {} } })
  await fleet.startInstances(3)
}, FLEET_START_MS)
afterAll(() => fleet?.close())

afterEach(() => {
  Object.assign(fleet.dynamodb.faults, { gone: false, fail: false, throttle: false, delayMs: 0 })
})

const requestAll = (database: string, user: string) =>
  Promise.all(fleet.instances.map(instance => fleet.requestToken(instance, database, { user })))

/** Waits until every instance vends, and expects the same token from each. */
async function expectServed(database: string, user: string): Promise<void> {
  const status = async (instance: Jeton) => (await fleet.requestToken(instance, database, { user })).status
  for (const instance of fleet.instances) await expect.poll(() => status(instance), RECOVERY).toBe(200)
  const tokens = (await requestAll(database, user)).map(({ body }) => body.token)
  expect(new Set(tokens).size).toBe(1)
}

/** Makes every instance cache the token for `CACHED`; returns it. */
async function fillCaches(database: string): Promise<unknown> {
  await expectServed(database, CACHED)
  return (await fleet.requestToken(fleet.instances[0] as Jeton, database, { user: CACHED })).body.token
}

async function expectCached(database: string, token: unknown): Promise<void> {
  for (const { body } of await requestAll(database, CACHED))
    expect(body).toMatchObject({ token, cached: true })
}

function expectUnavailable({ status, body, headers }: Answer): void {
  expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
  expect(headers.get('retry-after')).toMatch(/^\d+$/)
}

/** Waits until every instance vends again and none is degraded. */
async function expectRecovery(database: string): Promise<void> {
  await expectServed(database, COLD)
  for (const instance of fleet.instances) expect(await readDegraded(instance)).toEqual([])
}

const storeCalls = (instance: Jeton) => sumMetric([instance], 'jeton_store_call_seconds_count')

describe.each([
  ['is unreachable', 'gone', { gone: true }],
  ['fails', 'failing', { fail: true }],
  ['throttles', 'throttled', { throttle: true }],
])('a table that %s', (_fault, database, fault) => {
  test('leaves cached tokens available, fails others at once, and needs no restart to recover', async () => {
    const token = await fillCaches(database)
    Object.assign(fleet.dynamodb.faults, fault)
    for (const answer of await requestAll(database, COLD)) expectUnavailable(answer)
    await expectCached(database, token)
    for (const instance of fleet.instances) expect(await readDegraded(instance)).toEqual(['store'])

    // With backoffs of 250 ms, 500 ms, 1 s, 2 s, 4 s, then 5 s, it is called at most 10 times in half a minute.
    const [instance] = fleet.instances as [Jeton]
    const sdkCallsBefore = fleet.dynamodb.calls.length
    const storeCallsBefore = await storeCalls(instance)
    const requests = 60
    for (let i = 0; i < requests; i++)
      expectUnavailable(await fleet.requestToken(instance, database, { user: COLD }))
    expect((await storeCalls(instance)) - storeCallsBefore).toBeLessThanOrEqual(10)
    // The SDK tries each call twice.
    expect(fleet.dynamodb.calls.length - sdkCallsBefore).toBeLessThanOrEqual(20)

    Object.assign(fleet.dynamodb.faults, { gone: false, fail: false, throttle: false })
    await expectRecovery(database)
    await expectCached(database, token)
    expect(await countMintedTokens(fleet.instances, database)).toBe(2)
    expect(countAssumeRoleCalls(fleet, database)).toBe(2)
  })
})

describe('a table that is slow', () => {
  test('by 100 ms serves everyone with one token', async () => {
    fleet.dynamodb.faults.delayMs = 100
    const answers = await requestAll('slow', COLD)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
    expect(await countMintedTokens(fleet.instances, 'slow')).toBe(1)
  })

  test('by 800 ms leaves cached tokens available, and serves others late or answers Retry-After', async () => {
    const token = await fillCaches('slower')
    fleet.dynamodb.faults.delayMs = 800
    const callsBefore = fleet.dynamodb.calls.length
    await expectCached('slower', token)
    expect(fleet.dynamodb.calls.length).toBe(callsBefore)
    const { status, headers } = await fleet.requestToken(fleet.instances[0] as Jeton, 'slower', {
      user: COLD,
    })
    expect([200, 429, 503]).toContain(status)
    if (status !== 200) expect(headers.get('retry-after')).toMatch(/^\d+$/)
    fleet.dynamodb.faults.delayMs = 0
    await expectRecovery('slower')
  })
})
