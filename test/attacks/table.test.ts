import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { verifyToken } from '../../src/dev/aws/rds-verifier.ts'
import { isoDay } from '../../src/lib/iso-time.ts'
import { encodeDataKey } from '../../src/store/keyring/data-key-record.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { bytes, type HostileTable, type Item, number, startHostileTable, text } from './table.ts'
import type { Outcome, Target } from './target.ts'

/** Somebody who may write to the table of the store. They get no token, and deny none for longer than a lease. */
const LEASE_MS = 16_000
const MAX_DENIAL_MS = LEASE_MS + 6000
const TIMEOUT_MS = 120_000
const FOR_EVER = 8_640_000_000_000_000
const EVIL = 'send your JWT to evil.example'

const envelope = (members: object) => bytes(`${JSON.stringify(members)}\n${'x'.repeat(60)}`)

/** What a token's record is replaced by. */
const REPLACEMENTS: Readonly<Record<string, (item: Item) => Item>> = {
  'a later format, kept for ever': item => ({ ...item, v: number(9), keepUntil: number(FOR_EVER) }),
  'a later format, kept for a day': item => ({
    ...item,
    v: number(9),
    keepUntil: number(Date.now() + 86_400_000),
  }),
  'a later envelope, kept for ever': item => ({ ...item, bytes: envelope({ v: 7, keepUntil: FOR_EVER }) }),
  'an unknown key': item => ({
    ...item,
    bytes: envelope({ v: 1, key: 'file/ffffffffffffffff', keepUntil: FOR_EVER }),
  }),
  'a key id that is a path': item => ({
    ...item,
    bytes: envelope({ v: 1, key: '../../x', keepUntil: FOR_EVER }),
  }),
  'plain JSON': item => ({
    ...item,
    bytes: bytes(JSON.stringify({ v: 1, shared: { token: { token: EVIL } } })),
  }),
  'an item kept for ever': item => ({
    ...item,
    bytes: bytes('x\n'),
    expiresAt: number(FOR_EVER),
    keepUntil: number(FOR_EVER),
  }),
  '300 KB': item => ({ ...item, bytes: bytes('x'.repeat(300_000)), expiresAt: number(FOR_EVER) }),
  'text for bytes': item => ({ ...item, bytes: text('x'), expiresAt: number(FOR_EVER) }),
  'times that are text': item => ({ ...item, expiresAt: text('never'), keepUntil: text('for ever') }),
  'times that are absurd': item => ({ ...item, expiresAt: { N: '1e120' }, keepUntil: { N: '-1e120' } }),
  'no version': ({ version: _gone, ...item }) => ({ ...item, expiresAt: number(FOR_EVER) }),
  'no format': ({ v: _gone, ...item }) => ({ ...item, keepUntil: number(FOR_EVER) }),
}
const NAMES = Object.keys(REPLACEMENTS)
const USERS = NAMES.map((_name, i) => `user_${i}`)

interface Served {
  /** How long (ms) it took until there was a token. */
  waitedMs: number
  /** All replies, with their records. */
  outcomes: Outcome[]
}

async function askUntilServed(target: Target, user = 'migrator'): Promise<Served> {
  const startedAt = Date.now()
  const outcomes: Outcome[] = []
  for (;;) {
    const outcome = await target.attack({ jwt: target.signer.jwt(), body: { database: 'orders', user } })
    outcomes.push(outcome)
    const waitedMs = Date.now() - startedAt
    if (outcome.status === 200 || waitedMs > MAX_DENIAL_MS) return { waitedMs, outcomes }
    await pause(1000)
  }
}

/** Whether the last reply has a token that one of these targets had signed. */
function isGenuine({ outcomes }: Served, user: string, targets: readonly Target[]): boolean {
  const token = String(outcomes.at(-1)?.body.token)
  return targets.some(
    ({ environment: { sts } }) => verifyToken({ token, user, endpoint: ORDERS, sts, now: Date.now() }).ok,
  )
}

test(
  'whatever a token’s record is replaced by, its callers get a token within a lease',
  async () => {
    const table = await startHostileTable({ users: USERS })
    const first = await table.startInstance()
    for (const [i, name] of NAMES.entries()) {
      const known = new Set((await table.items('token/')).map(({ pk }) => pk?.S))
      await askUntilServed(first, USERS[i])
      const item = (await table.items('token/')).find(({ pk }) => !known.has(pk?.S))
      await table.put(REPLACEMENTS[name]!(item!))
    }
    const second = await table.startInstance()
    const served = await Promise.all(USERS.map(user => askUntilServed(second, user)))

    const denied = NAMES.filter((_name, i) => !isGenuine(served[i]!, USERS[i]!, [first, second]))
    expect(denied).toEqual([])
    expect(JSON.stringify(served)).not.toContain(EVIL)
    const codes = served.flatMap(({ outcomes }) => outcomes.map(({ status }) => status))
    expect(codes.filter(status => ![200, 429, 503].includes(status))).toEqual([])
  },
  TIMEOUT_MS,
)

test(
  'a token’s record that is moved to another token’s place is not delivered as that',
  async () => {
    const table = await startHostileTable({ users: ['app_ro', 'app_rw'] })
    const first = await table.startInstance()
    await askUntilServed(first, 'app_ro')
    const [weak] = await table.items('token/')
    await askUntilServed(first, 'app_rw')
    const strong = (await table.items('token/')).find(({ pk }) => pk?.S !== weak?.pk?.S)
    await table.put({ ...weak!, pk: strong!.pk! })

    const second = await table.startInstance()
    const served = await askUntilServed(second, 'app_rw')
    expect(isGenuine(served, 'app_rw', [first, second])).toBe(true)
  },
  TIMEOUT_MS,
)

async function askAfter(
  change: (table: HostileTable, first: Target) => Promise<void>,
  keys: 'file' | 'kms' = 'file',
): Promise<{ table: HostileTable; served: Served; second: Target }> {
  const table = await startHostileTable({ keys })
  const first = await table.startInstance()
  expect((await askUntilServed(first)).outcomes).toHaveLength(1)
  await change(table, first)
  const second = await table.startInstance()
  return { table, second, served: await askUntilServed(second, 'app_ro') }
}

const OWNERS = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`p${i}`, [60 * (i + 1)]]))

test.each<readonly [string, (now: number) => object]>([
  ['a slot in the year 275760', () => ({ next: FOR_EVER })],
  ['a slot an hour ahead', now => ({ next: now + 3_600_000 })],
  ['a slot 29 s ahead, which is further than anybody is let to wait', now => ({ next: now + 29_000 })],
  ['a slot before the epoch', () => ({ next: -FOR_EVER })],
  ['a slot that is text', () => ({ next: 'never' })],
  ['slots of 80 owners that do not exist', now => ({ next: now + 4900, held: { none: OWNERS } })],
  ['slots of 80 grants that do not exist', now => ({ next: now + 4900, held: byGrant() })],
  ['a later format of slots, kept for ever', () => ({ v: 9, keepUntil: FOR_EVER })],
])(
  '%s keeps nobody from a new token for longer than a lease',
  async (_name, plant) => {
    const { served, second } = await askAfter(async table => {
      for (const item of await table.items('turns/')) {
        const record = JSON.stringify({ v: 1, keepUntil: FOR_EVER, ...plant(Date.now()) })
        const kept = { expiresAt: number(FOR_EVER), keepUntil: number(FOR_EVER) }
        await table.put({ ...item, ...kept, bytes: bytes(record) })
      }
    })
    expect(isGenuine(served, 'app_ro', [second])).toBe(true)
  },
  TIMEOUT_MS,
)

function byGrant(): object {
  return Object.fromEntries(Object.entries(OWNERS).map(([name, slots]) => [`g${name}`, { [name]: slots }]))
}

test.each([
  ['that is refused for ever', { leftMs: FOR_EVER, failures: 1_000_000 }],
  ['that is refused for as long as an honest instance may say', { leftMs: 9000, failures: 4 }],
  ['that is probed for ever', { leftMs: FOR_EVER, failures: 3, isProbed: true }],
  ['that failed more often than can be counted', { leftMs: 12_000, failures: 1e308 }],
])(
  'a role %s is assumed again, and words of the record reach nobody',
  async (_name, { leftMs, ...planted }) => {
    const { served, second } = await askAfter(async (table, first) => {
      // a failure of STS makes the honest record, whose place is taken
      first.environment.sts.faults.failing = true
      await first.attack({ jwt: first.signer.jwt(), body: { database: 'orders', user: 'app_rw' } })
      first.environment.sts.faults.failing = false
      const [honest] = await table.items('role/')
      const until = Math.min(Date.now() + leftMs, FOR_EVER)
      const texts = { code: 'role_refused', reason: EVIL, publicMessage: EVIL }
      const record = bytes(JSON.stringify({ v: 1, until, ...texts, ...planted }))
      await table.put({ ...honest!, bytes: record, expiresAt: number(FOR_EVER), keepUntil: number(FOR_EVER) })
    })
    expect(isGenuine(served, 'app_ro', [second])).toBe(true)
    expect(JSON.stringify([served, await second.records(), second.log.lines])).not.toContain(EVIL)
  },
  TIMEOUT_MS,
)

/** No KMS key opens it. */
const GARBAGE = Buffer.from('garbage').toString('base64')

const plantDataKeys = (days: readonly number[], changed: Item) => async (table: HostileTable) => {
  const [item] = await table.items('data-key/')
  const today = isoDay(Date.now())
  for (const day of days) {
    const id = item!.pk!.S!.replace(today, isoDay(Date.now() + day * 86_400_000))
    const record = encodeDataKey(Buffer.from(GARBAGE, 'base64')).toString()
    await table.put({ ...item, ...changed, pk: text(id), bytes: bytes(record) })
  }
}

test.each<readonly [string, Item]>([
  ['kept as long as an honest one', {}],
  ['kept for ever', { expiresAt: number(FOR_EVER), keepUntil: number(FOR_EVER) }],
])(
  'garbage %s in the place of the data keys of today and of the days to come does not stop encryption',
  async (_name, changed) => {
    const { table, served, second } = await askAfter(plantDataKeys([0, 1, 2, 3, 30], changed), 'kms')
    expect(isGenuine(served, 'app_ro', [second])).toBe(true)
    // today's was met: another key has taken its place
    const left = (await table.items('data-key/')).filter(({ bytes: { B } = {} }) =>
      textOf(B).includes(GARBAGE),
    )
    const isToday = ({ pk }: Item) => pk?.S?.includes(isoDay(Date.now()))
    expect([left.length, left.filter(isToday).length]).toEqual([4, 0])
  },
  TIMEOUT_MS,
)

const textOf = (some: Uint8Array = new Uint8Array()) => Buffer.from(some).toString()

test(
  'a data key is bound to its day, so that one that was stolen once cannot be planted for good',
  async () => {
    const { table } = await askAfter(async () => {}, 'kms')
    const contexts = table.kms.calls.map(({ context }) => JSON.stringify(context))
    expect(contexts.length).toBeGreaterThan(0)
    expect(contexts.filter(context => !context.includes(isoDay(Date.now())))).toEqual([])
  },
  TIMEOUT_MS,
)
