import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KmsServer, startKms } from '../support/aws/kms.ts'
import {
  FLEET_START_MS,
  type Fleet,
  newKeyFile,
  startFleet,
  storeWith,
  TABLE,
  total,
  USERS,
} from '../support/service/fleet.ts'
import type { Jeton } from '../support/service/jeton.ts'

/** What stands in the table of a real fleet, and who can make use of it. */
const [RO, RW] = USERS

interface Item {
  readonly pk: string
  readonly bytes: Uint8Array
  readonly keepUntil: number
}

describe('with keys from files', () => {
  let fleet: Fleet
  /** Of one key, then one that has it as the second of two, and one that has another. */
  let first: Jeton
  let rotated: Jeton
  let stranger: Jeton

  beforeAll(async () => {
    fleet = await startFleet({ databases: { orders: {}, copied: {}, rotated: {} } })
    const { stage } = fleet
    const next = await newKeyFile(stage, 'next.key')
    const other = await newKeyFile(stage, 'other.key')
    const old = await newKeyFile(stage, 'old.key')
    const join = (keyFile: unknown) => fleet.join({ config: { store: storeWith({ keyFile }) } })
    ;[first, rotated, stranger] = await Promise.all([join(old), join([next, old]), join(other)])
  }, FLEET_START_MS)
  afterAll(() => fleet?.close())

  const tokenItems = async () => (await fleet.stored('token/')) as unknown as Item[]

  /** Has `first` mint; gives the item that this has made, once the token stands in it. */
  async function mintAndFind(database: string, user: string): Promise<{ token: string; item: Item }> {
    const known = new Set((await tokenItems()).map(({ pk }) => pk))
    const { body } = await fleet.ask(first, database, { user })
    const made = async () => (await tokenItems()).find(({ pk }) => !known.has(pk))
    // a lease is kept for seconds, a token for minutes
    await expect.poll(async () => (await made())?.keepUntil ?? 0).toBeGreaterThan(Date.now() + 60_000)
    return { token: String(body.token), item: (await made()) as Item }
  }

  test('nothing of a token stands in the table, and an instance with both keys opens it', async () => {
    const { token } = await mintAndFind('orders', RO)
    const parameters = new URL(`https://${token}`).searchParams
    const secrets = ['X-Amz-Signature', 'X-Amz-Security-Token'].map(name => parameters.get(name) ?? '')
    expect(secrets.map(secret => secret.length >= 64)).toEqual([true, true])
    const table = Buffer.concat((await fleet.dynamodb.items(TABLE)).map(bytesOf)).toString('latin1')
    expect(table).toContain('turns/')
    for (const secret of [...secrets, ...secrets.map(encodeURIComponent), 'X-Amz-'])
      expect(table.includes(secret)).toBe(false)
    expect((await fleet.ask(rotated, 'orders', { user: RO })).body).toMatchObject({ token, cached: true })
  })

  test('an instance with another key refuses, says why, and leaves the record alone', async () => {
    const { item } = await mintAndFind('rotated', RO)
    const { status, body, headers } = await fleet.ask(stranger, 'rotated', { user: RO })
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await tokenItems()).find(({ pk }) => pk === item.pk)).toEqual(item)
    expect(await total([stranger], 'jeton_store_unreadable_total')).toBe(1)
    expect(await stranger.logged('record_unreadable')).toContain(
      'all instances that share a store need the same store.encryption',
    )
    // the store as such is well, and so are the turns
    expect((await fleet.ask(stranger, 'rotated', { user: RW })).status).toBe(200)
  })

  test("a record copied over another's does not pass for it", async () => {
    const theirs = await mintAndFind('copied', RW)
    const ours = await mintAndFind('copied', RO)
    await fleet.change(ours.item.pk, { bytes: { B: theirs.item.bytes } })
    const { status, body } = await fleet.ask(rotated, 'copied', { user: RO })
    expect([status, body.code, body.token]).toEqual([503, 'temporarily_unavailable', undefined])
    expect(await rotated.logged('record_unreadable')).toContain('its authentication tag does not match')
    await fleet.change(ours.item.pk, { bytes: { B: ours.item.bytes } })
    expect((await fleet.ask(rotated, 'copied', { user: RO })).body.token).toBe(ours.token)
  })
})

describe('with a key of KMS', () => {
  let kms: KmsServer
  let fleet: Fleet

  beforeAll(async () => {
    kms = await startKms()
    const store = storeWith({ kmsKeyId: 'alias/jeton' })
    fleet = await startFleet({ databases: { orders: {} }, config: { store }, env: kms.environment() })
    await fleet.joinAll(3)
  }, FLEET_START_MS)
  afterAll(async () => {
    await fleet?.close()
    await kms?.close()
  })

  test('the fleet shares one data key, for few calls', async () => {
    for (const user of USERS) {
      const answers = await Promise.all(
        fleet.instances.map(instance => fleet.ask(instance, 'orders', { user })),
      )
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
    }
    expect(await fleet.stored('data-key/')).toHaveLength(1)
    // where all three find no key at once, each makes one, and those that were not first open the first
    expect(kms.calls.length).toBeLessThanOrEqual(3 + 2)
    expect(new Set(kms.calls.map(({ outcome }) => outcome))).toEqual(new Set(['ok']))
  })

  test('an instance that joins while KMS is away gets nothing from the table; those that have the key go on', async () => {
    const [old] = fleet.instances as [Jeton]
    const late = await fleet.join()
    kms.faults.gone = true
    const refused = await fleet.ask(late, 'orders')
    expect([refused.status, refused.body.code]).toEqual([503, 'temporarily_unavailable'])
    const { body } = await fleet.ask(old, 'orders')
    expect(body.cached).toBe(true)
    kms.faults.gone = false
    await expect
      .poll(async () => (await fleet.ask(late, 'orders')).body.token, { timeout: 30_000, interval: 200 })
      .toBe(body.token)
  })
})

/** What an item is made of, as it stands. */
function bytesOf(item: Record<string, unknown>): Buffer {
  return Buffer.concat(
    Object.values(item).map(value =>
      value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(`${value}\n`),
    ),
  )
}
