import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import { createBackgroundTasks } from '../../../src/lib/background-tasks.ts'
import { encryptStore } from '../../../src/store/encrypted-store.ts'
import type { DataKey, Keyring } from '../../../src/store/keyring/keyring.ts'
import type { Kms } from '../../../src/store/keyring/kms.ts'
import { createKmsKeyring } from '../../../src/store/keyring/kms-keyring.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { UnreadableRecord } from '../../../src/store/record-format.ts'
import type { Store } from '../../../src/store/store.ts'
import { createHealth, type Health } from '../../../src/telemetry/health.ts'
import type { LogEvent } from '../../../src/telemetry/log-events.ts'
import { settle, type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { createLogRecorder, type LogRecorder } from '../../support/service/log-recorder.ts'

const SECOND = 1000
const HOUR = 60 * 60 * SECOND
const DAY = 24 * HOUR
const NOON = Date.parse('2026-11-23T12:00:00Z')

let clock: VirtualClock
let store: Store
let health: Health
let log: LogRecorder
let kms: ReturnType<typeof createFakeKms>
beforeEach(() => {
  clock = virtualClock(NOON)
  store = createMemoryStore(clock)
  health = createHealth()
  log = createLogRecorder()
  kms = createFakeKms()
})

/** A KMS whose encrypted keys are random bytes, bound as they were generated, with faults for a test to set. */
function createFakeKms() {
  const secrets = new Map<string, Buffer>()
  const boundKey = (encryptedKey: Uint8Array, boundTo: string | undefined) =>
    `${Buffer.from(encryptedKey).toString('hex')} ${boundTo}`
  const state = { gone: false, refuses: false, delayMs: 0, generated: 0, decrypted: 0 }
  async function answer() {
    if (state.delayMs > 0) await clock.sleepUntil(clock.now() + state.delayMs)
    if (state.gone)
      throw new JetonError('temporarily_unavailable', { publicMessage: 'gone', reason: 'KMS is gone' })
  }
  return Object.assign(state, {
    calls: () => state.generated + state.decrypted,
    async generateDataKey(boundTo: string | undefined) {
      state.generated++
      await answer()
      const [secret, encryptedKey] = [randomBytes(32), randomBytes(184)]
      secrets.set(boundKey(encryptedKey, boundTo), secret)
      return { secret, encryptedKey }
    },
    async decrypt(encryptedKey: Uint8Array, boundTo: string | undefined) {
      state.decrypted++
      await answer()
      return state.refuses ? undefined : secrets.get(boundKey(encryptedKey, boundTo))
    },
  } satisfies Kms & { calls(): number })
}

/** The keyring of another instance, whose clock may differ. */
function newKeyring({
  kmsKeyId = 'alias/jeton',
  aheadMs = 0,
  now = () => clock.now() + aheadMs,
} = {}): Keyring {
  const ownClock = { ...clock, now }
  return createKmsKeyring({
    kms,
    kmsKeyId,
    store,
    clock: ownClock,
    log,
    health,
    backgroundTasks: createBackgroundTasks(),
  })
}

/** The key of the record that holds a data key. */
const recordOf = (id: string) => id.replace(/[^/]*$/, 'bound')

/** Puts anything into the table, as anyone who can write to it may. */
async function plant(key: string, text: string): Promise<void> {
  const expectedVersion = (await store.read(key))?.version ?? 'absent'
  const expiresAt = clock.now() + 4 * DAY
  await store.compareAndSwap({ key, bytes: Buffer.from(text), expectedVersion, expiresAt })
}

const logged = (event: LogEvent) => log.lines.filter(({ fields }) => fields.event === event)

describe('the data key of a fleet', () => {
  test('is generated once, and decrypted by every other instance', async () => {
    const keyrings = [newKeyring(), newKeyring(), newKeyring()]
    const keys: DataKey[] = []
    for (const keyring of keyrings) keys.push(await keyring.encryptionKey())
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
    expect(keys.every(({ secret }) => keys[0]!.secret.equals(secret))).toBe(true)
    expect([kms.generated, kms.decrypted]).toEqual([1, 2])
    expect(keys[0]!.id).toMatch(/^data-key\/[0-9a-f]{12}\/2026-11-23\/[0-9a-f]{16}$/)
  })

  test('is one too if all instances need it at once', async () => {
    kms.delayMs = 50
    const keyrings = Array.from({ length: 5 }, () => newKeyring())
    const keysOfAll = Promise.all(
      keyrings.flatMap(keyring => Array.from({ length: 20 }, () => keyring.encryptionKey())),
    )
    await clock.advance(SECOND)
    const keys = await keysOfAll
    expect(keys.every(({ secret }) => keys[0]!.secret.equals(secret))).toBe(true)
    expect([kms.generated, kms.decrypted]).toEqual([5, 4])
  })

  test('is kept in the store as KMS encrypted it, for three days', async () => {
    const { id, secret } = await newKeyring().encryptionKey()
    const record = Buffer.from((await store.read(recordOf(id)))?.bytes ?? [])
    expect(JSON.parse(record.toString())).toEqual({ v: 1, sealed: expect.any(String) })
    expect(record.includes(secret.export())).toBe(false)
    expect(record.includes(secret.export().toString('base64').slice(0, 20))).toBe(false)
    await clock.advance(3 * DAY - 1)
    expect(await store.read(recordOf(id))).toBeDefined()
    await clock.advance(1)
    expect(await store.read(recordOf(id))).toBeUndefined()
  })

  test('decrypts on its day and the next two, and no longer, though it be in memory or in the table', async () => {
    const [keyring, { id }] = await Promise.all([newKeyring(), newKeyring().encryptionKey()])
    const record = Buffer.from((await store.read(recordOf(id)))?.bytes ?? []).toString()
    expect(await keyring.decryptionKey(id)).toBeDefined()
    await clock.advance(2.5 * DAY - 1)
    expect(await newKeyring().decryptionKey(id)).toBeDefined()
    await clock.advance(1)
    await plant(recordOf(id), record)
    expect(await newKeyring().decryptionKey(id)).toBeUndefined()
    expect(await keyring.decryptionKey(id)).toBeUndefined()
  })

  test('is another one each UTC day, and those of the last days still decrypt', async () => {
    const [one, other] = [newKeyring(), newKeyring()]
    const days: DataKey[] = []
    for (let day = 0; day < 4; day++) {
      days.push(await one.encryptionKey())
      await clock.advance(DAY)
    }
    expect(new Set(days.map(({ id }) => id)).size).toBe(4)
    for (const key of days.slice(2))
      expect((await other.decryptionKey(key.id))?.secret.equals(key.secret)).toBe(true)
  })

  test('costs KMS one call for each instance and day, however many records there are', async () => {
    const stores = Array.from({ length: 3 }, () => encryptStore(store, { keyring: newKeyring(), clock }))
    let records = 0
    for (const [i] of Array.from({ length: 2 * 24 * 60 }).entries()) {
      const [one, other] = [stores[i % 3]!, stores[(i + 1) % 3]!]
      const write = {
        key: `k${i}`,
        bytes: Buffer.from(`${i}`),
        expectedVersion: 'absent',
        expiresAt: clock.now() + HOUR,
      }
      await one.compareAndSwap(write)
      expect(Buffer.from((await other.read(`k${i}`))?.bytes ?? []).toString()).toBe(`${i}`)
      records++
      await clock.advance(30 * SECOND)
    }
    expect(records).toBe(2880)
    // noon to noon: two days, one call for each instance and day
    expect(kms.calls()).toBe(6)
  })

  test('is two around midnight if clocks differ, and each instance decrypts what the other encrypts', async () => {
    await clock.advance(12 * HOUR - SECOND)
    const [late, early] = [newKeyring(), newKeyring({ aheadMs: 3 * SECOND })]
    const [todaysKey, tomorrowsKey] = [await late.encryptionKey(), await early.encryptionKey()]
    expect(todaysKey.id).not.toBe(tomorrowsKey.id)
    expect((await late.decryptionKey(tomorrowsKey.id))?.secret.equals(tomorrowsKey.secret)).toBe(true)
    expect((await early.decryptionKey(todaysKey.id))?.secret.equals(todaysKey.secret)).toBe(true)
    await clock.advance(2 * SECOND)
    expect((await late.encryptionKey()).secret.equals(tomorrowsKey.secret)).toBe(true)
    expect(kms.generated).toBe(2)
  })

  test('is another one for another KMS key', async () => {
    const one = await newKeyring().encryptionKey()
    const other = await newKeyring({ kmsKeyId: 'alias/other' }).encryptionKey()
    expect(other.id).not.toBe(one.id)
    expect(other.secret.equals(one.secret)).toBe(false)
  })
})

describe('the record of a data key', () => {
  const RECORD = 'data-key/b734bc212cf9/2026-11-23/bound'
  const ENCRYPTED_KEY = Uint8Array.from([0, 1, 2, 253, 254, 255])

  test('is the one that other releases write and read', async () => {
    const secret = Buffer.from(Array.from({ length: 32 }, (_, i) => i))
    kms.generateDataKey = async () => ({ secret, encryptedKey: Buffer.from(ENCRYPTED_KEY) })
    expect((await newKeyring().encryptionKey()).id).toBe('data-key/b734bc212cf9/2026-11-23/d5d69da40769b6dd')
    expect(Buffer.from((await store.read(RECORD))?.bytes ?? []).toString()).toBe(
      '{"v":1,"sealed":"AAEC/f7/"}',
    )
  })

  test('binds the key to itself: put under the name of another day, it is replaced', async () => {
    const { id, secret } = await newKeyring().encryptionKey()
    const record = Buffer.from((await store.read(recordOf(id)))?.bytes ?? []).toString()
    const tomorrows = recordOf(id).replace('-23/', '-24/')
    await plant(tomorrows, record)
    const stolen = id.replace('-23/', '-24/')
    await clock.advance(DAY)
    expect(await newKeyring().decryptionKey(stolen)).toBeUndefined()
    const key = await newKeyring().encryptionKey()
    expect(key.secret.equals(secret)).toBe(false)
    expect(logged('data_key_replaced')).toMatchObject([{ level: 'warn', fields: { record: tomorrows } }])
  })
})

describe('a data key from before 0.1, which is bound to nothing,', () => {
  /** Makes such a key and puts it into the table under the name of a day. */
  async function plantUnbound(day: string): Promise<{ id: string; secret: Uint8Array }> {
    const { secret, encryptedKey } = await kms.generateDataKey(undefined)
    const id = `data-key/b734bc212cf9/${day}`
    await plant(id, JSON.stringify({ v: 1, sealed: encryptedKey.toString('base64') }))
    return { id, secret }
  }

  test('decrypts until it expires, and never encrypts', async () => {
    const { id, secret } = await plantUnbound('2026-11-23')
    const keyring = newKeyring()
    expect((await keyring.decryptionKey(id))?.secret.export().equals(Buffer.from(secret))).toBe(true)
    const own = await keyring.encryptionKey()
    expect([own.id.startsWith(`${id}/`), own.secret.export().equals(Buffer.from(secret))]).toEqual([
      true,
      false,
    ])
    await clock.advance(2.5 * DAY)
    expect(await keyring.decryptionKey(id)).toBeUndefined()
  })

  test("cannot be copied under so many names that today's key is forgotten", async () => {
    const { encryptedKey } = await kms.generateDataKey(undefined)
    const keyring = newKeyring()
    const today = await keyring.encryptionKey()
    for (let i = 0; i < 40; i++) {
      const id = `data-key/${randomBytes(6).toString('hex')}/2026-11-23`
      await plant(id, JSON.stringify({ v: 1, sealed: encryptedKey.toString('base64') }))
      expect(await keyring.decryptionKey(id)).toBeUndefined()
      await clock.advance(10 * SECOND)
    }
    const calls = kms.calls()
    expect(await keyring.encryptionKey()).toBe(today)
    expect(await keyring.decryptionKey(today.id)).toBe(today)
    expect(kms.calls()).toBe(calls)
  })

  test('is believed in 2026 alone: one that was stolen cannot be planted for ever', async () => {
    await clock.advance(Date.parse('2026-12-31T12:00:00Z') - clock.now())
    expect(await newKeyring().decryptionKey((await plantUnbound('2026-12-31')).id)).toBeDefined()
    await clock.advance(DAY)
    expect(await newKeyring().decryptionKey((await plantUnbound('2027-01-01')).id)).toBeUndefined()
  })
})

describe('what somebody puts into the record of a data key', () => {
  const RECORD = 'data-key/b734bc212cf9/2026-11-23/bound'
  const garbage = () => JSON.stringify({ v: 1, sealed: randomBytes(184).toString('base64') })

  test.each([
    ['a later version', '{"v":2,"sealed":"AAEC"}'],
    ['no JSON', 'nonsense'],
    ['no key', '{"v":1}'],
    ['no base64', '{"v":1,"sealed":"<script>"}'],
    ['a key that is too long for KMS', JSON.stringify({ v: 1, sealed: 'A'.repeat(8196) })],
    ['a very long text', JSON.stringify({ v: 1, sealed: 'A'.repeat(300_000) })],
  ])('is replaced without asking KMS: %s', async (_, text) => {
    await plant(RECORD, text)
    const key = await newKeyring().encryptionKey()
    expect([kms.generated, kms.decrypted]).toEqual([1, 0])
    expect((await newKeyring().decryptionKey(key.id))?.secret.equals(key.secret)).toBe(true)
    expect(logged('data_key_replaced')).toHaveLength(1)
    expect(health.degraded()).toEqual([])
  })

  test('is replaced if KMS does not decrypt it, by one key for the fleet', async () => {
    await plant(RECORD, garbage())
    const keys: DataKey[] = []
    for (const keyring of [newKeyring(), newKeyring(), newKeyring()]) keys.push(await keyring.encryptionKey())
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
    expect([kms.generated, kms.decrypted]).toEqual([1, 3])
  })

  test('is replaced if it is of a KMS key that kmsKeyId no longer names', async () => {
    const { id } = await newKeyring().encryptionKey()
    kms.refuses = true
    const replacing = await newKeyring().encryptionKey()
    expect(replacing.id).not.toBe(id)
    kms.refuses = false
    expect((await newKeyring().encryptionKey()).id).toBe(replacing.id)
  })

  test('in the place of the right key splits the fleet only until its instances read each other', async () => {
    const [one, other] = [newKeyring(), newKeyring()]
    const first = await one.encryptionKey()
    await plant(RECORD, garbage())
    const second = await other.encryptionKey()
    expect(second.id).not.toBe(first.id)
    expect(await one.encryptionKey()).toBe(first)
    expect((await one.decryptionKey(second.id))?.secret.equals(second.secret)).toBe(true)
    expect((await one.encryptionKey()).id).toBe(second.id)
    // what was encrypted before still decrypts where the key is in memory
    expect(await one.decryptionKey(first.id)).toBe(first)
    expect(await other.decryptionKey(first.id)).toBeUndefined()
  })

  test('again and again does not keep instances from encrypting, nor cost KMS a call for each record', async () => {
    const inner = store
    let isPlanting = true
    async function plantBefore<T>(key: string, work: () => Promise<T>): Promise<T> {
      if (isPlanting && key === RECORD) {
        const expectedVersion = (await inner.read(RECORD))?.version ?? 'absent'
        const expiresAt = clock.now() + DAY
        await inner.compareAndSwap({ key, bytes: Buffer.from(garbage()), expectedVersion, expiresAt })
      }
      return work()
    }
    store = {
      read: key => plantBefore(key, () => inner.read(key)),
      compareAndSwap: write => plantBefore(write.key, () => inner.compareAndSwap(write)),
    }
    const keyring = newKeyring()
    for (let second = 0; second < 120; second++) {
      const key = await keyring.encryptionKey()
      expect(await keyring.decryptionKey(key.id)).toBe(key)
      const { id } = key
      // a record under a key that is not there, another one each time
      const unknown = id.replace(/[^/]*$/, randomBytes(8).toString('hex'))
      expect(await keyring.decryptionKey(unknown)).toBeUndefined()
      await clock.advance(SECOND)
      await settle()
    }
    expect(kms.generated).toBe(1)
    expect(kms.decrypted).toBeLessThanOrEqual(30)
    expect(logged('data_key_not_shared').length).toBeGreaterThanOrEqual(2)
    expect(health.degraded()).toEqual([])

    isPlanting = false
    await clock.advance(60 * SECOND)
    await keyring.encryptionKey()
    await settle()
    const { id } = await keyring.encryptionKey()
    expect((await newKeyring().encryptionKey()).id).toBe(id)
    expect(logged('data_key_replaced')).toHaveLength(1)
  })

  test('and into records that name it, cannot keep instances from the key of the day', async () => {
    const [one, other] = [newKeyring(), newKeyring()]
    await one.encryptionKey()
    await other.encryptionKey()
    for (let i = 0; i < 30; i++) {
      const day = `data-key/${randomBytes(6).toString('hex')}/2026-11-23`
      await plant(`${day}/bound`, garbage())
      expect(await other.decryptionKey(`${day}/${'0'.repeat(16)}`)).toBeUndefined()
    }
    expect(kms.decrypted).toBeLessThanOrEqual(1 + 10)
    // a new day begins within the same minute for an instance whose clock is ahead
    await clock.advance(12 * HOUR - 30 * SECOND)
    for (let i = 0; i < 30; i++)
      await other.decryptionKey(`data-key/b734bc212cf9/2026-11-23/${randomBytes(8).toString('hex')}`)
    await clock.advance(30 * SECOND)
    const { id } = await one.encryptionKey()
    expect((await other.encryptionKey()).id).toBe(id)
    expect(logged('data_key_not_shared')).toEqual([])
  })

  test('of a later item format is neither waited for nor overwritten: the instance has a key of its own for a minute', async () => {
    const { read } = store
    const unreadable = new UnreadableRecord({ key: RECORD, why: 'a newer release wrote it', keepUntil: NOON })
    store = { ...store, read: key => (key === RECORD ? Promise.reject(unreadable) : read(key)) }
    const keyring = newKeyring()
    const key = await keyring.encryptionKey()
    expect(await keyring.decryptionKey(key.id)).toBe(key)
    expect(await read(RECORD)).toBeUndefined()
    store.read = read
    expect(await keyring.encryptionKey()).toBe(key)
    await clock.advance(60 * SECOND)
    await keyring.encryptionKey()
    await settle()
    expect((await newKeyring().encryptionKey()).id).toBe(key.id)
  })
})

describe('a missing data key', () => {
  test.each([
    '',
    'k',
    'file/0123456789abcdef',
    'data-key/x',
    `data-key/${'0'.repeat(12)}/2026-11-23/x`,
    `data-key/${'0'.repeat(12)}/2026-11-23/bound`,
    `data-key/${'0'.repeat(12)}/2026-99-99/${'0'.repeat(16)}`,
    `data-key/${'0'.repeat(12)}/2026-11-20/${'0'.repeat(16)}`,
    `data-key/${'0'.repeat(12)}/2026-11-24/${'0'.repeat(16)}`,
  ])('is not looked up in the store if its id is none: %j', async id => {
    const reads: string[] = []
    store = { ...store, read: async key => void reads.push(key) as undefined }
    expect(await newKeyring().decryptionKey(id)).toBeUndefined()
    expect(reads).toEqual([])
  })

  test('that KMS refuses to decrypt is asked for once a minute', async () => {
    const { id } = await newKeyring().encryptionKey()
    kms.refuses = true
    const keyring = newKeyring()
    kms.decrypted = 0
    for (let second = 0; second < 60; second++) {
      expect(await keyring.decryptionKey(id)).toBeUndefined()
      await clock.advance(SECOND)
    }
    expect(kms.decrypted).toBe(1)
    kms.refuses = false
    expect((await keyring.decryptionKey(id))?.id).toBe(id)
  })

  test('is not looked up again for each record that names it', async () => {
    let reads = 0
    const { read } = store
    store = { ...store, read: key => read(key).finally(() => reads++) }
    const keyring = newKeyring()
    const id = `data-key/${'0'.repeat(12)}/2026-11-23/${'0'.repeat(16)}`
    for (let i = 0; i < 50; i++) expect(await keyring.decryptionKey(id)).toBeUndefined()
    expect(reads).toBe(1)
  })
})

describe('a slow KMS', () => {
  /** What `work` has settled with after `ms`. */
  async function settledAfter(ms: number, work: Promise<unknown>): Promise<unknown> {
    let settled: unknown = 'pending'
    const settle = (value: unknown) => {
      settled = value
    }
    void work.then(settle, settle)
    await clock.advance(ms)
    return settled
  }

  test('keeps a caller of a new instance waiting for 5 s, and has the key for who comes back', async () => {
    kms.delayMs = 9 * SECOND
    const keyring = newKeyring()
    const first = keyring.encryptionKey()
    expect(await settledAfter(4999, first)).toBe('pending')
    expect(await settledAfter(1, first)).toMatchObject({
      code: 'temporarily_unavailable',
      retryAfterMs: 1000,
    })
    await clock.advance(1000)
    expect(await settledAfter(3000, keyring.encryptionKey())).toHaveProperty('id')
    expect(kms.generated).toBe(1)
    expect(logged('kms_failing')).toEqual([])
    expect(health.degraded()).toEqual([])
  })

  test('has the key that a record names for who comes back, too', async () => {
    const { id } = await newKeyring().encryptionKey()
    kms.delayMs = 9 * SECOND
    const keyring = newKeyring()
    expect(await settledAfter(5000, keyring.decryptionKey(id))).toMatchObject({
      code: 'temporarily_unavailable',
    })
    await clock.advance(4000)
    expect(await keyring.decryptionKey(id)).toMatchObject({ id })
    expect(kms.decrypted).toBe(1)
  })

  test("makes nobody wait longer than 1 s for a new day's key while yesterday's is there", async () => {
    const keyring = newKeyring()
    const yesterday = await keyring.encryptionKey()
    kms.delayMs = 9 * SECOND
    await clock.advance(DAY)
    const meanwhile = keyring.encryptionKey()
    expect(await settledAfter(999, meanwhile)).toBe('pending')
    expect(await settledAfter(1, meanwhile)).toMatchObject({ id: yesterday.id })
    await clock.advance(8 * SECOND)
    expect((await keyring.encryptionKey()).id).not.toBe(yesterday.id)
  })
})

describe('a KMS that fails', () => {
  test('is not called during a growing back-off, and then probed by one call', async () => {
    kms.gone = true
    const keyring = newKeyring()
    const probes: number[] = []
    for (let second = 0; second < 180; second++) {
      const before = kms.calls()
      const calls = Array.from({ length: 20 }, () => keyring.encryptionKey())
      for (const outcome of await Promise.allSettled(calls))
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'temporarily_unavailable' } })
      if (kms.calls() > before) probes.push(second)
      expect(kms.calls() - before).toBeLessThanOrEqual(1)
      await clock.advance(SECOND)
    }
    expect(probes).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121, 151])
    expect(health.degraded()).toEqual(['store'])
    expect(logged('kms_failing')).toHaveLength(3)

    kms.gone = false
    await clock.advance(SECOND)
    await expect(keyring.encryptionKey()).resolves.toBeDefined()
    expect(health.degraded()).toEqual([])
    expect(logged('kms_recovered')).toHaveLength(1)
  })

  test('is logged once a minute while it fails, and at once when it fails again', async () => {
    kms.gone = true
    const keyring = newKeyring()
    const callKms = () => keyring.encryptionKey().catch(() => 'failed')
    const lines = () => logged('kms_failing').length
    for (let ms = 0; ms < 60 * SECOND; ms += 500) {
      await callKms()
      expect(lines()).toBe(1)
      await clock.advance(500)
    }
    const before = kms.calls()
    for (let i = 0; i < 10; i++) await callKms()
    expect([lines(), kms.calls()]).toEqual([2, before])

    kms.gone = false
    await clock.advance(30 * SECOND)
    await keyring.encryptionKey()
    kms.gone = true
    await newKeyring({ kmsKeyId: 'alias/other' })
      .encryptionKey()
      .catch(() => {})
    expect(lines()).toBe(3)
  })

  test('rejects with the back-off that is left', async () => {
    kms.gone = true
    const keyring = newKeyring()
    await expect(keyring.encryptionKey()).rejects.toThrow('KMS is gone')
    await clock.advance(400)
    await expect(keyring.encryptionKey()).rejects.toMatchObject({ retryAfterMs: 600, reason: 'KMS is gone' })
  })

  test('is called again at once if the clock is put back', async () => {
    const { id } = await newKeyring().encryptionKey()
    let aheadMs = HOUR
    const keyring = newKeyring({ now: () => clock.now() + aheadMs })
    kms.refuses = true
    expect(await keyring.decryptionKey(id)).toBeUndefined()
    kms.gone = true
    const failing = newKeyring({ kmsKeyId: 'alias/other', now: () => clock.now() + aheadMs })
    await expect(failing.encryptionKey()).rejects.toThrow('KMS is gone')
    kms.gone = false
    kms.refuses = false
    aheadMs = 0
    expect(await keyring.decryptionKey(id)).toBeDefined()
    await expect(failing.encryptionKey()).resolves.toBeDefined()
  })

  test('delays only the call that probes', async () => {
    kms.gone = true
    const keyring = newKeyring()
    await expect(keyring.encryptionKey()).rejects.toThrow('KMS is gone')
    await clock.advance(SECOND)
    kms.delayMs = 8 * SECOND
    const probe = keyring.encryptionKey().catch(() => 'failed')
    await settle()
    await expect(keyring.encryptionKey()).rejects.toThrow('KMS is gone')
    const unknown = `data-key/${'0'.repeat(12)}/2026-11-23/${'0'.repeat(16)}`
    await expect(keyring.decryptionKey(unknown)).rejects.toThrow('KMS is gone')
    expect(kms.calls()).toBe(2)
    await clock.advance(8 * SECOND)
    expect(await probe).toBe('failed')
  })

  test('is not needed for keys in memory', async () => {
    const keyring = newKeyring()
    const key = await keyring.encryptionKey()
    kms.gone = true
    expect(await keyring.encryptionKey()).toBe(key)
    expect(await keyring.decryptionKey(key.id)).toBe(key)
  })

  test("leaves the previous day's key to encrypt with, for one day, and is logged once", async () => {
    const keyring = newKeyring()
    const key = await keyring.encryptionKey()
    await clock.advance(12 * HOUR)
    kms.gone = true
    for (let hour = 0; hour < 24; hour++) {
      expect(await keyring.encryptionKey()).toBe(key)
      await clock.advance(HOUR)
    }
    expect(logged('data_key_outdated')).toHaveLength(1)
    expect(health.degraded()).toEqual(['store'])
    await expect(keyring.encryptionKey()).rejects.toMatchObject({ code: 'temporarily_unavailable' })

    kms.gone = false
    await clock.advance(HOUR)
    expect((await keyring.encryptionKey()).id).toMatch(/2026-11-25\/[0-9a-f]{16}$/)
    expect(health.degraded()).toEqual([])
  })

  test('makes no caller wait while there is a previous key, and is used again when it answers', async () => {
    const keyring = newKeyring()
    const key = await keyring.encryptionKey()
    await clock.advance(12 * HOUR)
    kms.gone = true
    expect(await keyring.encryptionKey()).toBe(key)
    await clock.advance(SECOND)
    kms.gone = false
    kms.delayMs = 5 * SECOND
    const calls = Array.from({ length: 10 }, () => keyring.encryptionKey())
    expect(await Promise.all(calls)).toEqual(calls.map(() => key))
    await clock.advance(5 * SECOND)
    expect((await keyring.encryptionKey()).id).toMatch(/2026-11-24\/[0-9a-f]{16}$/)
    expect(health.degraded()).toEqual([])
  })

  test('is not blamed for a store that fails: KMS is not called, and there is no back-off', async () => {
    const failure = new JetonError('temporarily_unavailable', { publicMessage: 'the store is unreachable' })
    const { read } = store
    store = { ...store, read: () => Promise.reject(failure) }
    const keyring = newKeyring()
    await expect(keyring.encryptionKey()).rejects.toBe(failure)
    expect(kms.calls()).toBe(0)
    store.read = read
    await expect(keyring.encryptionKey()).resolves.toBeDefined()
  })
})
