import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  assumed,
  degraded,
  FLEET_START_MS,
  type Fleet,
  minted,
  roleOf,
  startFleet,
} from '../support/service/fleet.ts'
import type { Jeton } from '../support/service/jeton.ts'

/** Three real server processes that share one table of a DynamoDB, and what they owe to that. */
let fleet: Fleet
let one: Jeton
let two: Jeton
let three: Jeton

beforeAll(async () => {
  const each = { session: 'per-principal' } as const
  fleet = await startFleet({ databases: { cold: {}, denied: each, upgraded: {}, newer: {} } })
  const [a, b, c] = await fleet.joinAll(3)
  if (a && b && c) [one, two, three] = [a, b, c]
}, FLEET_START_MS)
afterAll(() => fleet?.close())

const nth = (i: number) => [one, two, three][i % 3] as Jeton

test('300 callers at once on an empty table get one token, for one AssumeRole and one signature', async () => {
  const callers = Array.from({ length: 300 }, (_, i) => fleet.ask(nth(i), 'cold', { subject: `caller-${i}` }))
  const answers = await Promise.all(callers)
  expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
  expect(answers.filter(({ body }) => body.cached === false)).toHaveLength(1)
  expect(await minted(fleet.instances, 'cold')).toBe(1)
  expect(assumed(fleet, 'cold')).toBe(1)
})

describe('a role that AWS refuses', () => {
  const wave = (name: string) =>
    Promise.all(
      Array.from({ length: 30 }, (_, i) => fleet.ask(nth(i), 'denied', { subject: `${name}-${i}` })),
    )

  test('is asked for by few of many callers; once it is granted all are served, without a restart', async () => {
    const { deniedRoles } = fleet.stage.sts.faults
    deniedRoles.add(roleOf('denied'))
    for (const name of ['first', 'second']) {
      const answers = await wave(name)
      expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
        Array(30).fill([502, 'role_refused']),
      )
    }
    // each instance may find out for itself; after that the fleet asks once a rest, of which few can have passed
    expect(assumed(fleet, 'denied')).toBeLessThanOrEqual(3 + 3)
    deniedRoles.clear()
    for (const [i, instance] of fleet.instances.entries()) {
      // each a principal of its own: what another has minted would tell nothing of the role
      const status = async () => (await fleet.ask(instance, 'denied', { subject: `later-${i}` })).status
      await expect.poll(status, { timeout: 30_000, interval: 200 }).toBe(200)
      expect(await degraded(instance)).toEqual([])
    }
  })
})

describe('while another release shares the table', () => {
  /** Has one mint and another adopt; gives the token and the key of the item that this has made. */
  async function mintAndFind(database: string) {
    const known = new Set((await fleet.stored('token/')).map(({ pk }) => pk))
    const { body } = await fleet.ask(one, database)
    await expectFrom(two, { database, token: body.token })
    const pk = (await fleet.stored('token/')).map(item => String(item.pk)).find(pk => !known.has(pk)) ?? ''
    return { token: body.token, pk }
  }

  async function expectFrom(instance: Jeton, { database, token }: { database: string; token: unknown }) {
    await expect
      .poll(async () => (await fleet.ask(instance, database)).body)
      .toMatchObject({ token, cached: true })
  }

  test('an item with attributes that this one does not know is used as it is', async () => {
    const { token, pk } = await mintAndFind('upgraded')
    await fleet.change(pk, { novelty: { S: 'of a newer release' } })
    await expectFrom(three, { database: 'upgraded', token })
    expect(await minted(fleet.instances, 'upgraded')).toBe(1)
  })

  test('an item of a format that this one does not know is left alone while it is of use, and no longer', async () => {
    const { token, pk } = await mintAndFind('newer')
    await fleet.change(pk, { v: { N: '2' }, keepUntil: { N: String(Date.now() + 3600_000) } })
    const before = await fleet.stored(pk)
    const { status, body, headers } = await fleet.ask(three, 'newer')
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await fleet.stored(pk)).toEqual(before)
    // who has the token goes on with it, and what concerns one item is no failure of the store
    await expectFrom(one, { database: 'newer', token })
    expect(await degraded(three)).not.toContain('store')

    await fleet.change(pk, { keepUntil: { N: String(Date.now()) } })
    const again = await fleet.ask(three, 'newer')
    expect([again.status, again.body.cached]).toEqual([200, false])
  })
})
