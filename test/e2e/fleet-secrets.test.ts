import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KmsServer, startKms } from '../support/aws/kms.ts'
import {
  FLEET_START_MS,
  type Fleet,
  newKeyFile,
  startFleet,
  storeWith,
  TABLE,
  USERS,
} from '../support/service/fleet.ts'
import { sumMetric } from '../support/service/fleet-observations.ts'
import type { Jeton } from '../support/service/jeton.ts'

/** What is in the table of a real fleet, and who can use it. */
const [RO, RW, MIGRATOR] = USERS

interface Item {
  readonly pk: string
  readonly bytes: Uint8Array
  readonly expiresAt: number
}

describe('a store encrypted with key files', () => {
  let fleet: Fleet
  /** Has one key. */
  let first: Jeton
  /** Has another key, and the first one to decrypt with. */
  let rotated: Jeton
  /** Has a key that nobody else has. */
  let outsider: Jeton

  beforeAll(async () => {
    fleet = await startFleet({ databases: { orders: {}, copied: {}, rotated: {}, paced: {} } })
    const { environment } = fleet
    const next = await newKeyFile(environment, 'next.key')
    const other = await newKeyFile(environment, 'other.key')
    const old = await newKeyFile(environment, 'old.key')
    const start = (keyFile: unknown) => fleet.startInstance({ config: { store: storeWith({ keyFile }) } })
    ;[first, rotated, outsider] = await Promise.all([start(old), start([next, old]), start(other)])
  }, FLEET_START_MS)
  afterAll(() => fleet?.close())

  const tokenItems = async () => (await fleet.storedItems('token/')) as unknown as Item[]

  /** Has `first` mint; returns the token, and its item once the token is in it. */
  async function mintAndFindItem(database: string, user: string): Promise<{ token: string; item: Item }> {
    const known = new Set((await tokenItems()).map(({ pk }) => pk))
    const { body } = await fleet.requestToken(first, database, { user })
    const newItem = async () => (await tokenItems()).find(({ pk }) => !known.has(pk))
    // A lease ends after seconds, a token after minutes.
    await expect.poll(async () => (await newItem())?.expiresAt ?? 0).toBeGreaterThan(Date.now() + 60_000)
    return { token: String(body.token), item: (await newItem()) as Item }
  }

  test('contains nothing of a token, and an instance with both keys decrypts it', async () => {
    const { token } = await mintAndFindItem('orders', RO)
    const parameters = new URL(`https://${token}`).searchParams
    const secrets = ['X-Amz-Signature', 'X-Amz-Security-Token'].map(name => parameters.get(name) ?? '')
    expect(secrets.map(secret => secret.length >= 64)).toEqual([true, true])
    const table = Buffer.concat((await fleet.dynamodb.items(TABLE)).map(bytesOf)).toString('latin1')
    expect(table).toContain('turns/')
    for (const secret of [...secrets, ...secrets.map(encodeURIComponent), 'X-Amz-'])
      expect(table.includes(secret)).toBe(false)
    expect((await fleet.requestToken(rotated, 'orders', { user: RO })).body).toMatchObject({
      token,
      cached: true,
    })
  })

  test('is unreadable for an instance with another key, which logs why and leaves the record alone', async () => {
    const { item } = await mintAndFindItem('rotated', RO)
    const { status, body, headers } = await fleet.requestToken(outsider, 'rotated', { user: RO })
    expect([status, body.code]).toEqual([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await tokenItems()).find(({ pk }) => pk === item.pk)).toEqual(item)
    expect(await sumMetric([outsider], 'jeton_store_unreadable_total')).toBe(1)
    expect(await outsider.logged('record_unreadable')).toContain('store.encryption')
    // The store as such works, and so do the slots.
    expect((await fleet.requestToken(outsider, 'rotated', { user: RW })).status).toBe(200)
  })

  test('never hands out the token of a record that was copied over another, and denies nobody for it', async () => {
    const theirs = await mintAndFindItem('copied', RW)
    const ours = await mintAndFindItem('copied', RO)
    await fleet.updateItem(ours.item.pk, { bytes: { B: theirs.item.bytes } })
    const { status, body } = await fleet.requestToken(rotated, 'copied', { user: RO })
    expect([status, body.cached]).toEqual([200, false])
    expect(new URL(`https://${body.token}`).searchParams.get('DBUser')).toBe(RO)
    expect(await rotated.logged('record_unreadable')).toContain('authentication tag')
  })

  test('lets nobody take all slots who writes far slots into the table, again and again', async () => {
    expect((await fleet.requestToken(first, 'paced', { user: RO })).status).toBe(200)
    const slotRecords = (await fleet.storedItems('turns/')).map(({ pk }) => String(pk))
    const pk = slotRecords.find(pk => pk.includes('db-PACED')) ?? expect.fail('no slots')
    async function plant(): Promise<void> {
      const next = Date.now() + 9000
      const bytes = Buffer.from(JSON.stringify({ v: 1, keepUntil: next, next }))
      await fleet.updateItem(pk, { bytes: { B: bytes }, expiresAt: { N: String(next + 60_000) } })
    }
    for (const user of [RW, MIGRATOR]) {
      await plant()
      expect((await fleet.requestToken(first, 'paced', { user })).status).toBe(200)
    }
  })
})

describe('a store encrypted with a KMS key', () => {
  let kms: KmsServer
  let fleet: Fleet

  beforeAll(async () => {
    kms = await startKms()
    const store = storeWith({ kmsKeyId: 'alias/jeton' })
    fleet = await startFleet({ databases: { orders: {} }, config: { store }, env: kms.environment() })
    await fleet.startInstances(3)
  }, FLEET_START_MS)
  afterAll(async () => {
    await fleet?.close()
    await kms?.close()
  })

  test('has one data key for the fleet, for few KMS calls', async () => {
    for (const user of USERS) {
      const answers = await Promise.all(
        fleet.instances.map(instance => fleet.requestToken(instance, 'orders', { user })),
      )
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(new Set(answers.map(({ body }) => body.token)).size).toBe(1)
    }
    expect(await fleet.storedItems('data-key/')).toHaveLength(1)
    // If all three find no data key at once, each makes one, and all but the first decrypt that of the first.
    expect(kms.calls.length).toBeLessThanOrEqual(3 + 2)
    expect(new Set(kms.calls.map(({ outcome }) => outcome))).toEqual(new Set(['ok']))
  })

  test('is unreadable for an instance that starts while KMS is unreachable; those with the data key go on', async () => {
    const [first] = fleet.instances as [Jeton]
    const late = await fleet.startInstance()
    kms.faults.gone = true
    const refused = await fleet.requestToken(late, 'orders')
    expect([refused.status, refused.body.code]).toEqual([503, 'temporarily_unavailable'])
    const { body } = await fleet.requestToken(first, 'orders')
    expect(body.cached).toBe(true)
    kms.faults.gone = false
    await expect
      .poll(async () => (await fleet.requestToken(late, 'orders')).body.token, {
        timeout: 30_000,
        interval: 200,
      })
      .toBe(body.token)
  })
})

/** Returns the bytes of all attributes of an item. */
function bytesOf(item: Record<string, unknown>): Buffer {
  return Buffer.concat(
    Object.values(item).map(value =>
      value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(`${value}\n`),
    ),
  )
}
