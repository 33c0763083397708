import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import { encryptStore } from '../../../src/store/encrypted-store.ts'
import type { DataKey, Keyring } from '../../../src/store/keyring/keyring.ts'
import type { Kms } from '../../../src/store/keyring/kms.ts'
import { createKmsKeyring } from '../../../src/store/keyring/kms-keyring.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import { createHealth, type Health } from '../../../src/telemetry/health.ts'
import type { LogEvent } from '../../../src/telemetry/log-events.ts'
import { settle, type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { rememberingLog } from '../../support/service/log.ts'

const SECOND = 1000
const HOUR = 60 * 60 * SECOND
const DAY = 24 * HOUR
const NOON = Date.parse('2026-11-23T12:00:00Z')

let clock: VirtualClock
let store: Store
let health: Health
let log: ReturnType<typeof rememberingLog>
let kms: ReturnType<typeof playedKms>
beforeEach(() => {
  clock = virtualClock(NOON)
  store = createMemoryStore(clock)
  health = createHealth()
  log = rememberingLog()
  kms = playedKms()
})

/** A KMS whose blobs say nothing, with what a test may break. */
function playedKms() {
  const secrets = new Map<string, Buffer>()
  const state = { gone: false, refuses: false, delayMs: 0, generated: 0, opened: 0 }
  async function answer() {
    if (state.delayMs > 0) await clock.sleepUntil(clock.now() + state.delayMs)
    if (state.gone)
      throw new JetonError('temporarily_unavailable', { publicMessage: 'gone', reason: 'KMS is gone' })
  }
  return Object.assign(state, {
    calls: () => state.generated + state.opened,
    async generateDataKey() {
      state.generated++
      await answer()
      const [secret, sealed] = [randomBytes(32), randomBytes(184)]
      secrets.set(sealed.toString('hex'), secret)
      return { secret, sealed }
    },
    async decrypt(sealed: Uint8Array) {
      state.opened++
      await answer()
      return state.refuses ? undefined : secrets.get(Buffer.from(sealed).toString('hex'))
    },
  } satisfies Kms & { calls(): number })
}

/** An instance of its own, whose clock may differ. */
function instance({
  kmsKeyId = 'alias/jeton',
  aheadMs = 0,
  now = () => clock.now() + aheadMs,
} = {}): Keyring {
  const own = { ...clock, now }
  return createKmsKeyring({ kms, kmsKeyId, store, clock: own, log, health })
}

const told = (event: LogEvent) => log.lines.filter(({ fields }) => fields.event === event)

describe('one data key for the fleet', () => {
  test('is made once, by KMS, and opened by everyone else', async () => {
    const rings = [instance(), instance(), instance()]
    const keys: DataKey[] = []
    for (const ring of rings) keys.push(await ring.encryptionKey())
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
    expect(keys.every(({ secret }) => keys[0]!.secret.equals(secret))).toBe(true)
    expect([kms.generated, kms.opened]).toEqual([1, 2])
    expect(keys[0]!.id).toMatch(/^data-key\/[0-9a-f]{12}\/2026-11-23$/)
  })

  test('is one too where all want it at once', async () => {
    kms.delayMs = 50
    const rings = Array.from({ length: 5 }, () => instance())
    const asked = Promise.all(rings.flatMap(ring => Array.from({ length: 20 }, () => ring.encryptionKey())))
    await clock.advance(SECOND)
    const keys = await asked
    expect(keys.every(({ secret }) => keys[0]!.secret.equals(secret))).toBe(true)
    expect([kms.generated, kms.opened]).toEqual([5, 4])
  })

  test('stands on the store as KMS sealed it, for three days', async () => {
    const { id, secret } = await instance().encryptionKey()
    const record = Buffer.from((await store.read(id))?.bytes ?? [])
    expect(JSON.parse(record.toString())).toEqual({ v: 1, sealed: expect.any(String) })
    expect(record.includes(secret.export())).toBe(false)
    expect(record.includes(secret.export().toString('base64').slice(0, 20))).toBe(false)
    await clock.advance(3 * DAY - 1)
    expect(await instance().decryptionKey(id)).toBeDefined()
    await clock.advance(1)
    expect(await instance().decryptionKey(id)).toBeUndefined()
  })

  test('is a new one each UTC day, and those of before still open', async () => {
    const [one, other] = [instance(), instance()]
    const days: DataKey[] = []
    for (let day = 0; day < 4; day++) {
      days.push(await one.encryptionKey())
      await clock.advance(DAY)
    }
    expect(new Set(days.map(({ id }) => id)).size).toBe(4)
    for (const key of days.slice(2))
      expect((await other.decryptionKey(key.id))?.secret.equals(key.secret)).toBe(true)
  })

  test('costs KMS a few calls a day, however much is sealed', async () => {
    const stores = Array.from({ length: 3 }, () => encryptStore(store, { keyring: instance(), clock }))
    let records = 0
    for (const [i] of Array.from({ length: 2 * 24 * 60 }).entries()) {
      const [one, other] = [stores[i % 3]!, stores[(i + 1) % 3]!]
      const change = {
        key: `k${i}`,
        bytes: Buffer.from(`${i}`),
        expectedVersion: 'absent',
        expiresAt: clock.now() + HOUR,
      }
      await one.compareAndSwap(change)
      expect(Buffer.from((await other.read(`k${i}`))?.bytes ?? []).toString()).toBe(`${i}`)
      records++
      await clock.advance(30 * SECOND)
    }
    expect(records).toBe(2880)
    // noon to noon: two days, one call for each instance and day
    expect(kms.calls()).toBe(6)
  })

  test('near midnight is two, where clocks differ: each instance opens what the other seals', async () => {
    await clock.advance(12 * HOUR - SECOND)
    const [late, early] = [instance(), instance({ aheadMs: 3 * SECOND })]
    const [todays, tomorrows] = [await late.encryptionKey(), await early.encryptionKey()]
    expect(todays.id).not.toBe(tomorrows.id)
    expect((await late.decryptionKey(tomorrows.id))?.secret.equals(tomorrows.secret)).toBe(true)
    expect((await early.decryptionKey(todays.id))?.secret.equals(todays.secret)).toBe(true)
    await clock.advance(2 * SECOND)
    expect((await late.encryptionKey()).secret.equals(tomorrows.secret)).toBe(true)
    expect(kms.generated).toBe(2)
  })

  test('is another for another KMS key', async () => {
    const one = await instance().encryptionKey()
    const other = await instance({ kmsKeyId: 'alias/other' }).encryptionKey()
    expect(other.id).not.toBe(one.id)
    expect(other.secret.equals(one.secret)).toBe(false)
  })
})

describe('a key that is not to be had', () => {
  test.each(['', 'k', 'file/0123456789abcdef', 'data-key/x', `data-key/${'0'.repeat(12)}/2026-11-23/x`])(
    'is no reason to look on the store, where its id is none: %j',
    async id => {
      const reads: string[] = []
      store = { ...store, read: async key => void reads.push(key) as undefined }
      expect(await instance().decryptionKey(id)).toBeUndefined()
      expect(reads).toEqual([])
    },
  )

  test('because KMS refuses it is unknown, and KMS is asked once a minute', async () => {
    const { id } = await instance().encryptionKey()
    kms.refuses = true
    const ring = instance()
    kms.opened = 0
    for (let second = 0; second < 60; second++) {
      expect(await ring.decryptionKey(id)).toBeUndefined()
      await expect(ring.encryptionKey()).rejects.toMatchObject({
        reason: expect.stringContaining('kms:Decrypt'),
      })
      await clock.advance(SECOND)
    }
    expect(kms.opened).toBe(1)
    expect(health.degraded()).toEqual(['store'])
    kms.refuses = false
    expect((await ring.encryptionKey()).id).toBe(id)
    expect(health.degraded()).toEqual([])
  })

  test('because KMS refuses it is never replaced by another', async () => {
    const { id } = await instance().encryptionKey()
    const before = await store.read(id)
    kms.refuses = true
    await expect(instance().encryptionKey()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    expect(await store.read(id)).toEqual(before)
  })

  test.each(['{"v":2,"sealed":"x"}', 'nonsense', '{"v":1}'])('because of its record: %s', async text => {
    const { id } = await instance().encryptionKey()
    const { version = '' } = (await store.read(id)) ?? {}
    await store.compareAndSwap({
      key: id,
      bytes: Buffer.from(text),
      expectedVersion: version,
      expiresAt: clock.now() + DAY,
    })
    expect(await instance().decryptionKey(id)).toBeUndefined()
    await expect(instance().encryptionKey()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
  })

  test('is not looked for on the store with each record that names it', async () => {
    let reads = 0
    const { read } = store
    store = { ...store, read: key => read(key).finally(() => reads++) }
    const ring = instance()
    const id = `data-key/${'0'.repeat(12)}/2026-11-23`
    for (let i = 0; i < 50; i++) expect(await ring.decryptionKey(id)).toBeUndefined()
    expect(reads).toBe(1)
  })
})

describe('a KMS that is away', () => {
  test('refuses at once after a failure, for a growing time, with one probe at its end', async () => {
    kms.gone = true
    const ring = instance()
    const probes: number[] = []
    for (let second = 0; second < 180; second++) {
      const before = kms.calls()
      const asks = Array.from({ length: 20 }, () => ring.encryptionKey())
      for (const ask of await Promise.allSettled(asks))
        expect(ask).toMatchObject({ status: 'rejected', reason: { code: 'temporarily_unavailable' } })
      if (kms.calls() > before) probes.push(second)
      expect(kms.calls() - before).toBeLessThanOrEqual(1)
      await clock.advance(SECOND)
    }
    expect(probes).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121, 151])
    expect(health.degraded()).toEqual(['store'])
    expect(told('kms_failing')).toHaveLength(3)

    kms.gone = false
    await clock.advance(SECOND)
    await expect(ring.encryptionKey()).resolves.toBeDefined()
    expect(health.degraded()).toEqual([])
    expect(told('kms_recovered')).toHaveLength(1)
  })

  test('is told of again each minute that it is asked in vain, and at once when it fails anew', async () => {
    kms.gone = true
    const ring = instance()
    const ask = () => ring.encryptionKey().catch(() => 'failed')
    const lines = () => told('kms_failing').length
    for (let ms = 0; ms < 60 * SECOND; ms += 500) {
      await ask()
      expect(lines()).toBe(1)
      await clock.advance(500)
    }
    const before = kms.calls()
    for (let i = 0; i < 10; i++) await ask()
    expect([lines(), kms.calls()]).toEqual([2, before])

    kms.gone = false
    await clock.advance(30 * SECOND)
    await ring.encryptionKey()
    kms.gone = true
    await instance({ kmsKeyId: 'alias/other' })
      .encryptionKey()
      .catch(() => {})
    expect(lines()).toBe(3)
  })

  test('says when to come back', async () => {
    kms.gone = true
    const ring = instance()
    await expect(ring.encryptionKey()).rejects.toThrow('KMS is gone')
    await clock.advance(400)
    await expect(ring.encryptionKey()).rejects.toMatchObject({ retryAfterMs: 600, reason: 'KMS is gone' })
  })

  test('is let alone no longer where the clock is put back meanwhile', async () => {
    const { id } = await instance().encryptionKey()
    let aheadMs = HOUR
    const ring = instance({ now: () => clock.now() + aheadMs })
    kms.refuses = true
    expect(await ring.decryptionKey(id)).toBeUndefined()
    kms.gone = true
    const failing = instance({ kmsKeyId: 'alias/other', now: () => clock.now() + aheadMs })
    await expect(failing.encryptionKey()).rejects.toThrow('KMS is gone')
    kms.gone = false
    kms.refuses = false
    aheadMs = 0
    expect(await ring.decryptionKey(id)).toBeDefined()
    await expect(failing.encryptionKey()).resolves.toBeDefined()
  })

  test('holds up only the one that probes', async () => {
    kms.gone = true
    const ring = instance()
    await expect(ring.encryptionKey()).rejects.toThrow('KMS is gone')
    await clock.advance(SECOND)
    kms.delayMs = 8 * SECOND
    const probe = ring.encryptionKey().catch(() => 'failed')
    await settle()
    await expect(ring.encryptionKey()).rejects.toThrow('KMS is gone')
    await expect(ring.decryptionKey(`data-key/${'0'.repeat(12)}/2026-11-23`)).rejects.toThrow('KMS is gone')
    expect(kms.calls()).toBe(2)
    await clock.advance(8 * SECOND)
    expect(await probe).toBe('failed')
  })

  test('does not keep the keys that are held from being used', async () => {
    const ring = instance()
    const key = await ring.encryptionKey()
    kms.gone = true
    expect(await ring.encryptionKey()).toBe(key)
    expect(await ring.decryptionKey(key.id)).toBe(key)
  })

  test("leaves yesterday's key to seal with, till the day after it, and says so once", async () => {
    const ring = instance()
    const key = await ring.encryptionKey()
    await clock.advance(12 * HOUR)
    kms.gone = true
    for (let hour = 0; hour < 24; hour++) {
      expect(await ring.encryptionKey()).toBe(key)
      await clock.advance(HOUR)
    }
    expect(told('data_key_outdated')).toHaveLength(1)
    expect(health.degraded()).toEqual(['store'])
    await expect(ring.encryptionKey()).rejects.toMatchObject({ code: 'temporarily_unavailable' })

    kms.gone = false
    await clock.advance(HOUR)
    expect((await ring.encryptionKey()).id).toMatch(/2026-11-25$/)
    expect(health.degraded()).toEqual([])
  })

  test('makes nobody wait while there is a key of yesterday, and is noticed when it is back', async () => {
    const ring = instance()
    const key = await ring.encryptionKey()
    await clock.advance(12 * HOUR)
    kms.gone = true
    expect(await ring.encryptionKey()).toBe(key)
    await clock.advance(SECOND)
    kms.gone = false
    kms.delayMs = 5 * SECOND
    const asked = Array.from({ length: 10 }, () => ring.encryptionKey())
    expect(await Promise.all(asked)).toEqual(asked.map(() => key))
    await clock.advance(5 * SECOND)
    expect((await ring.encryptionKey()).id).toMatch(/2026-11-24$/)
    expect(health.degraded()).toEqual([])
  })

  test('is not what a store is that is away: KMS is not asked, and does not rest', async () => {
    const down = new JetonError('temporarily_unavailable', { publicMessage: 'the store is away' })
    const { read } = store
    store = { ...store, read: () => Promise.reject(down) }
    const ring = instance()
    await expect(ring.encryptionKey()).rejects.toBe(down)
    expect(kms.calls()).toBe(0)
    store.read = read
    await expect(ring.encryptionKey()).resolves.toBeDefined()
  })
})
