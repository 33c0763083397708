import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  assumed,
  degraded,
  FLEET_START_MS,
  type Fleet,
  minted,
  startFleet,
  total,
  USERS,
} from '../support/service/fleet.ts'
import type { Jeton } from '../support/service/jeton.ts'

/** Three real server processes whose store fails: what is cached goes on, what is not fails at once, and no restart. */
const [CACHED, COLD] = USERS
const RECOVERY = { timeout: 30_000, interval: 100 }

let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet({ databases: { gone: {}, failing: {}, throttled: {}, slow: {}, slower: {} } })
  await fleet.joinAll(3)
}, FLEET_START_MS)
afterAll(() => fleet?.close())

afterEach(() => {
  Object.assign(fleet.dynamodb.faults, { gone: false, fail: false, throttle: false, delayMs: 0 })
})

const askAll = (database: string, user: string) =>
  Promise.all(fleet.instances.map(instance => fleet.ask(instance, database, { user })))

/** One and the same token from each, at last. */
async function expectServed(database: string, user: string): Promise<void> {
  const status = async (instance: Jeton) => (await fleet.ask(instance, database, { user })).status
  for (const instance of fleet.instances) await expect.poll(() => status(instance), RECOVERY).toBe(200)
  const tokens = (await askAll(database, user)).map(({ body }) => body.token)
  expect(new Set(tokens).size).toBe(1)
}

/** Every instance has the token for `CACHED`. */
async function warm(database: string): Promise<unknown> {
  await expectServed(database, CACHED)
  return (await fleet.ask(fleet.instances[0] as Jeton, database, { user: CACHED })).body.token
}

async function expectCached(database: string, token: unknown): Promise<void> {
  for (const { body } of await askAll(database, CACHED)) expect(body).toMatchObject({ token, cached: true })
}

function expectUnavailable({ status, body, headers }: Answer): void {
  expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
  expect(headers.get('retry-after')).toMatch(/^\d+$/)
}

/** All instances get the one token, now that nothing is broken any more. */
async function expectRecovery(database: string): Promise<void> {
  await expectServed(database, COLD)
  for (const instance of fleet.instances) expect(await degraded(instance)).toEqual([])
}

const throughCalls = (instance: Jeton) => total([instance], 'jeton_store_call_seconds_count')

describe.each([
  ['is gone', 'gone', { gone: true }],
  ['fails', 'failing', { fail: true }],
  ['throttles', 'throttled', { throttle: true }],
])('where the table %s', (_how, database, fault) => {
  test('cached tokens go on, others are refused at once, and all is well when it is back', async () => {
    const token = await warm(database)
    Object.assign(fleet.dynamodb.faults, fault)
    for (const answer of await askAll(database, COLD)) expectUnavailable(answer)
    await expectCached(database, token)
    for (const instance of fleet.instances) expect(await degraded(instance)).toEqual(['store'])

    // Left alone for 250 ms, 500 ms, 1 s, 2 s, 4 s, then 5 s at a time, it is asked 10 times in half a minute at most.
    const [instance] = fleet.instances as [Jeton]
    const callsBefore = [fleet.dynamodb.calls.length, await throughCalls(instance)] as const
    const requests = 60
    for (let i = 0; i < requests; i++) expectUnavailable(await fleet.ask(instance, database, { user: COLD }))
    expect((await throughCalls(instance)) - callsBefore[1]).toBeLessThanOrEqual(10)
    // the SDK tries each of them twice
    expect(fleet.dynamodb.calls.length - callsBefore[0]).toBeLessThanOrEqual(20)

    Object.assign(fleet.dynamodb.faults, { gone: false, fail: false, throttle: false })
    await expectRecovery(database)
    await expectCached(database, token)
    expect(await minted(fleet.instances, database)).toBe(2)
    expect(assumed(fleet, database)).toBe(2)
  })
})

describe('where the table is slow', () => {
  test('by a tenth of a second, everybody is served', async () => {
    fleet.dynamodb.faults.delayMs = 100
    const answers = await askAll('slow', COLD)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
    expect(await minted(fleet.instances, 'slow')).toBe(1)
  })

  test('by nearly a second, cached tokens do without it, and another is late or told to come back', async () => {
    const token = await warm('slower')
    fleet.dynamodb.faults.delayMs = 800
    const callsBefore = fleet.dynamodb.calls.length
    await expectCached('slower', token)
    expect(fleet.dynamodb.calls.length).toBe(callsBefore)
    const { status, headers } = await fleet.ask(fleet.instances[0] as Jeton, 'slower', { user: COLD })
    expect([200, 429, 503]).toContain(status)
    if (status !== 200) expect(headers.get('retry-after')).toMatch(/^\d+$/)
    fleet.dynamodb.faults.delayMs = 0
    await expectRecovery('slower')
  })
})
