import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { EncryptedStore, RecordWrite, Store } from '../../src/store/store.ts'
import {
  createTokenStore,
  LEASE_MS,
  type Lease,
  type StoredToken,
  type TokenStore,
} from '../../src/tokens/token-store.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { KEY, MINUTE } from './instances.ts'

/** 2026-11-23T10:00:00Z, at which the virtual clock starts. */
const NOW = 1_795_428_000_000
const STORE_KEY = `token/${KEY.id}`

/** Records as jeton 0.1.0 wrote them: every byte but the lease's holder. */
const TOKEN_JSON =
  '{"text":"orders.example:5432/?Action=connect&DBUser=migrator","fingerprint":"34c3b6e8","identity":"orders.migrator","issuedAt":1795428000000,"expiresAt":1795428900000,"refreshAfter":1795428540000}'
const FREE_RECORD = `{"v":1,"keepUntil":1795428016000,"shared":{"token":${TOKEN_JSON},"mintedAt":1795428000123,"replaces":false}}`
const LEASED_RECORD = `{"v":1,"keepUntil":1795428016000,"shared":{"token":${TOKEN_JSON},"mintedAt":1795428000123,"replaces":false},"lease":{"by":"another","until":1795428016000}}`
const FIRST_LEASE_RECORD = '{"v":1,"keepUntil":1795428016000,"lease":{"by":"another","until":1795428016000}}'
const ERASED_RECORD = '{"v":1,"keepUntil":1795428000000}'

const STORED: StoredToken = {
  token: {
    text: 'orders.example:5432/?Action=connect&DBUser=migrator',
    fingerprint: '34c3b6e8',
    identity: 'orders.migrator',
    issuedAt: NOW,
    expiresAt: NOW + 15 * MINUTE,
    refreshAfter: NOW + 9 * MINUTE,
  },
  mintedAt: NOW + 123,
  replacements: 0,
}

let clock: VirtualClock
let memory: EncryptedStore
let writes: RecordWrite[]
let tokenStore: TokenStore

beforeEach(() => {
  clock = virtualClock(NOW)
  memory = createMemoryStore(clock)
  writes = []
  tokenStore = open()
})

function open(): TokenStore {
  const recording: Store = {
    read: key => memory.read(key),
    compareAndSwap(write) {
      writes.push(write)
      return memory.compareAndSwap(write)
    },
  }
  return createTokenStore({ encryptedStore: recording as EncryptedStore, clock })
}

async function put(text: string): Promise<void> {
  const expectedVersion = (await memory.read(STORE_KEY))?.version ?? 'absent'
  const bytes = Buffer.from(text)
  await memory.compareAndSwap({ key: STORE_KEY, bytes, expectedVersion, expiresAt: NOW + 15 * MINUTE })
}

async function lease(by = tokenStore): Promise<Lease> {
  const taken = await by.lease(KEY, await by.read(KEY))
  if (!taken) throw new Error('the lease is lost')
  return taken
}

/** The latest write, with the holder of the lease as the golden records have it. */
function lastWrite() {
  const { key, bytes, expiresAt, keepUntil } = writes.at(-1) as RecordWrite
  const text = Buffer.from(bytes)
    .toString()
    .replace(/"by":"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}"/, '"by":"another"')
  return { key, text, expiresAt, keepUntil }
}

test('createTokenStore does not compile with a plain store: tokens would lie in clear', () => {
  const plain: Store = memory
  // @ts-expect-error a token store takes an encrypted store alone
  createTokenStore({ encryptedStore: plain, clock })
  // @ts-expect-error and cannot do without one
  createTokenStore({ clock })
  expect(createTokenStore({ encryptedStore: memory, clock })).toBeDefined()
})

describe('records in the store are, to the byte, what other releases read and write:', () => {
  test('read returns the token of a free record', async () => {
    await put(FREE_RECORD)
    expect(await tokenStore.read(KEY)).toEqual({ stored: STORED, leasedUntil: 0, version: '1' })
  })

  test('read returns the token and the lease of a leased record', async () => {
    await put(LEASED_RECORD)
    expect(await tokenStore.read(KEY)).toEqual({ stored: STORED, leasedUntil: 1795428016000, version: '1' })
    await put(LEASED_RECORD.replace('"replaces":false', '"replaces":true'))
    expect((await tokenStore.read(KEY)).stored?.replacements).toBe(1)
    await put(LEASED_RECORD.replace('"replaces":false', '"replaces":true,"replacements":4'))
    expect((await tokenStore.read(KEY)).stored?.replacements).toBe(4)
  })

  test('read returns the lease of a record without a token', async () => {
    await put(FIRST_LEASE_RECORD)
    expect(await tokenStore.read(KEY)).toEqual({
      stored: undefined,
      leasedUntil: 1795428016000,
      version: '1',
    })
  })

  test('lease writes the first lease of a key', async () => {
    await lease()
    const ends = NOW + LEASE_MS
    expect(lastWrite()).toEqual({
      key: STORE_KEY,
      text: FIRST_LEASE_RECORD,
      expiresAt: ends,
      keepUntil: ends,
    })
  })

  test('lease keeps the token that is there', async () => {
    await put(FREE_RECORD)
    await lease()
    const { expiresAt } = STORED.token
    const keepUntil = NOW + LEASE_MS
    expect(lastWrite()).toEqual({ key: STORE_KEY, text: LEASED_RECORD, expiresAt, keepUntil })
  })

  test('publish writes the token and ends the lease', async () => {
    await (await lease()).publish(STORED)
    const { expiresAt } = STORED.token
    const keepUntil = NOW + LEASE_MS
    expect(lastWrite()).toEqual({ key: STORE_KEY, text: FREE_RECORD, expiresAt, keepUntil })
    await (await lease()).publish({ ...STORED, replacements: 1 })
    expect(lastWrite().text).toBe(FREE_RECORD.replace('"replaces":false', '"replaces":true'))
    await (await lease()).publish({ ...STORED, replacements: 4 })
    expect(lastWrite().text).toBe(FREE_RECORD.replace('"replaces":false', '"replaces":true,"replacements":4'))
  })

  test('release puts the old token back', async () => {
    await put(FREE_RECORD)
    await (await lease()).release()
    expect(lastWrite().text).toBe(FREE_RECORD)
  })

  test('release writes a record that has ended if there was no token', async () => {
    await (await lease()).release()
    const { text, expiresAt } = lastWrite()
    expect([text, expiresAt]).toEqual([ERASED_RECORD, NOW])
    expect(await tokenStore.read(KEY)).toMatchObject({ stored: undefined, version: 'absent' })
  })

  test('lease and release keep what a later release adds to a token', async () => {
    await put(FREE_RECORD.replace('"replaces":false', '"replaces":false,"later":1'))
    await (await lease()).release()
    expect(JSON.parse(lastWrite().text).shared).toMatchObject({ replaces: false, later: 1 })
  })
})

describe('read', () => {
  test('finds nothing in an empty store', async () => {
    expect(await tokenStore.read(KEY)).toEqual({ stored: undefined, leasedUntil: 0, version: 'absent' })
  })

  test('takes a record that makes no sense for none, to be replaced', async () => {
    await put('no JSON')
    expect(await tokenStore.read(KEY)).toEqual({ stored: undefined, leasedUntil: 0, version: '1' })
    expect(await (await lease()).publish(STORED)).toBe(true)
    expect((await tokenStore.read(KEY)).stored).toEqual(STORED)
  })

  test('throws for the length of a lease while a record of a newer release is there', async () => {
    await put(FREE_RECORD.replace('"v":1', '"v":2'))
    await expect(tokenStore.read(KEY)).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      reason: expect.stringContaining('a newer release wrote it'),
    })
    await clock.advance(LEASE_MS)
    expect((await tokenStore.read(KEY)).stored).toBeUndefined()
  })

  test.each([
    ['that lasts for longer than any token', { expiresAt: NOW + 15 * MINUTE + 1 }],
    ['that is never due for renewal', { refreshAfter: NOW + 16 * MINUTE }],
    ['that is due for renewal before it was signed', { refreshAfter: NOW - 1 }],
    ['without an end', { expiresAt: undefined }],
    ['whose end is a text', { expiresAt: 'soon' }],
    ['that was minted after its end', { mintedAt: NOW + 15 * MINUTE + 1 }],
    ['that was minted before it was signed', { mintedAt: NOW - 1 }],
  ])('does not believe in a token %s, and replaces it', async (_, changed) => {
    const { mintedAt, ...times } = { mintedAt: STORED.mintedAt, ...changed }
    const token = { ...STORED.token, ...times }
    await put(JSON.stringify({ v: 1, keepUntil: NOW, shared: { token, mintedAt, replaces: false } }))
    expect(await tokenStore.read(KEY)).toEqual({ stored: undefined, leasedUntil: 0, version: '1' })
    expect(await (await lease()).publish(STORED)).toBe(true)
  })

  test.each([{ shared: {} }, { shared: 7 }, { lease: {} }, { lease: { by: 'x', until: 'soon' } }])(
    'takes %j for a free record without a token',
    async members => {
      await put(JSON.stringify({ v: 1, keepUntil: NOW, ...members }))
      expect(await tokenStore.read(KEY)).toEqual({ stored: undefined, leasedUntil: 0, version: '1' })
    },
  )

  test('ignores a lease of its own instance: the reply to it was lost', async () => {
    await lease()
    expect((await tokenStore.read(KEY)).leasedUntil).toBe(0)
    expect((await open().read(KEY)).leasedUntil).toBe(NOW + LEASE_MS)
  })

  test('ignores a lease that ends further ahead than clocks that agree to 5 s can put it', async () => {
    const leasedUntil = async (until: number) => {
      await put(FIRST_LEASE_RECORD.replace('"until":1795428016000', `"until":${until}`))
      return (await tokenStore.read(KEY)).leasedUntil
    }
    expect(await leasedUntil(NOW + LEASE_MS + 5000)).toBe(NOW + LEASE_MS + 5000)
    expect(await leasedUntil(NOW + LEASE_MS + 5001)).toBe(0)
  })
})

describe('a lease', () => {
  test('goes to one of two instances that read the same record', async () => {
    const other = open()
    const snapshots = [await tokenStore.read(KEY), await other.read(KEY)] as const
    expect(await tokenStore.lease(KEY, snapshots[0])).toMatchObject({ until: NOW + LEASE_MS })
    expect(await other.lease(KEY, snapshots[1])).toBeUndefined()
  })

  test('that another instance has taken over publishes nothing, and releases nothing', async () => {
    const late = await lease()
    await clock.advance(LEASE_MS)
    const taken = await lease(open())
    expect(await late.publish(STORED)).toBe(false)
    await late.release()
    const newer = { ...STORED, mintedAt: NOW + LEASE_MS }
    expect(await taken.publish(newer)).toBe(true)
    expect((await tokenStore.read(KEY)).stored).toEqual(newer)
  })

  test('that has ended still publishes while its record is there and no other instance took it', async () => {
    await put(FREE_RECORD)
    const late = await lease()
    await clock.advance(LEASE_MS)
    expect(await late.publish({ ...STORED, mintedAt: NOW + LEASE_MS })).toBe(true)
  })
})
