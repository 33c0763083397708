import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FLEET_START_MS, type Fleet, roleOf, startFleet } from '../support/service/fleet.ts'
import {
  countAssumeRoleCalls,
  countMintedTokens,
  readDegraded,
} from '../support/service/fleet-observations.ts'
import type { Jeton } from '../support/service/jeton.ts'

/** Three server processes that share one DynamoDB table. */
let fleet: Fleet
let one: Jeton
let two: Jeton
let three: Jeton

beforeAll(async () => {
  const perPrincipal = { session: 'per-principal' } as const
  fleet = await startFleet({ databases: { cold: {}, denied: perPrincipal, upgraded: {}, newer: {} } })
  const [a, b, c] = await fleet.startInstances(3)
  if (a && b && c) [one, two, three] = [a, b, c]
}, FLEET_START_MS)
afterAll(() => fleet?.close())

const nth = (i: number) => [one, two, three][i % 3] as Jeton

test('300 callers at once on an empty table share one token, one AssumeRole and one signature', async () => {
  const callers = Array.from({ length: 300 }, (_, i) =>
    fleet.requestToken(nth(i), 'cold', { subject: `caller-${i}` }),
  )
  const answers = await Promise.all(callers)
  expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
  expect(answers.filter(({ body }) => body.cached === false)).toHaveLength(1)
  expect(await countMintedTokens(fleet.instances, 'cold')).toBe(1)
  expect(countAssumeRoleCalls(fleet, 'cold')).toBe(1)
})

describe('a role that AWS refuses', () => {
  const requestAll = (name: string) =>
    Promise.all(
      Array.from({ length: 30 }, (_, i) => fleet.requestToken(nth(i), 'denied', { subject: `${name}-${i}` })),
    )

  test('is assumed for few of many callers; once AWS allows it, all are served without a restart', async () => {
    const { deniedRoles } = fleet.environment.sts.faults
    deniedRoles.add(roleOf('denied'))
    for (const name of ['first', 'second']) {
      const answers = await requestAll(name)
      expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
        Array(30).fill([502, 'role_refused']),
      )
    }
    // Each instance may find out for itself; then the fleet asks once per backoff, of which few can have passed.
    expect(countAssumeRoleCalls(fleet, 'denied')).toBeLessThanOrEqual(3 + 3)
    deniedRoles.clear()
    for (const [i, instance] of fleet.instances.entries()) {
      // Each is a principal of its own: a token that another instance minted would show nothing about the role.
      const status = async () =>
        (await fleet.requestToken(instance, 'denied', { subject: `later-${i}` })).status
      await expect.poll(status, { timeout: 30_000, interval: 200 }).toBe(200)
      expect(await readDegraded(instance)).toEqual([])
    }
  })
})

describe('an item of another release', () => {
  /** Has one instance mint and another use the token; returns the token and the key of its item. */
  async function mintAndFindItem(database: string) {
    const known = new Set((await fleet.storedItems('token/')).map(({ pk }) => pk))
    const { body } = await fleet.requestToken(one, database)
    await expectToken(two, { database, token: body.token })
    const pk =
      (await fleet.storedItems('token/')).map(item => String(item.pk)).find(pk => !known.has(pk)) ?? ''
    return { token: body.token, pk }
  }

  async function expectToken(instance: Jeton, { database, token }: { database: string; token: unknown }) {
    await expect
      .poll(async () => (await fleet.requestToken(instance, database)).body)
      .toMatchObject({ token, cached: true })
  }

  test('is used if it has attributes that this release does not know', async () => {
    const { token, pk } = await mintAndFindItem('upgraded')
    await fleet.updateItem(pk, { unknown: { S: 'of a newer release' } })
    await expectToken(three, { database: 'upgraded', token })
    expect(await countMintedTokens(fleet.instances, 'upgraded')).toBe(1)
  })

  test('is left alone for the length of a lease if its format is unknown, and replaced after that', async () => {
    const { token, pk } = await mintAndFindItem('newer')
    await fleet.updateItem(pk, { v: { N: '2' }, keepUntil: { N: String(Date.now() + 16_000) } })
    const before = await fleet.storedItems(pk)
    const { status, body, headers } = await fleet.requestToken(three, 'newer')
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await fleet.storedItems(pk)).toEqual(before)
    // An instance that has the token goes on with it, and one unreadable item is no failure of the store.
    await expectToken(one, { database: 'newer', token })
    expect(await readDegraded(three)).not.toContain('store')

    await fleet.updateItem(pk, { keepUntil: { N: String(Date.now()) } })
    const afterExpiry = await fleet.requestToken(three, 'newer')
    expect([afterExpiry.status, afterExpiry.body.cached]).toEqual([200, false])
  })
})
