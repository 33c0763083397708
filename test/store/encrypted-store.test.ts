import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { encryptStore } from '../../src/store/encrypted-store.ts'
import { createFileKeyring } from '../../src/store/keyring/file-keyring.ts'
import type { Keyring } from '../../src/store/keyring/keyring.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { UnreadableRecord } from '../../src/store/record-format.ts'
import type { Store } from '../../src/store/store.ts'
import { describeStore } from '../contracts/stores.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

const SECOND = 1000
const MINUTE = 60_000
const newKeyring = () => createFileKeyring([createSecretKey(randomBytes(32))])

describeStore('encrypted, over memory', async clock => {
  const inner = createMemoryStore(clock)
  const keyring = newKeyring()
  return [encryptStore(inner, { keyring, clock }), encryptStore(inner, { keyring, clock })]
})

let clock: VirtualClock
let inner: Store
let unreadables: { key: string; why: string }[]
beforeEach(() => {
  clock = virtualClock()
  inner = createMemoryStore(clock)
  unreadables = []
})

const storeWith = (keyring: Keyring): Store =>
  encryptStore(inner, { keyring, clock, onUnreadable: record => void unreadables.push(record) })

/** A record that is kept for 16 s, as long as a lease, and expires after 15 minutes. */
const write = (text: string, expectedVersion = 'absent', key = 'k') => ({
  key,
  bytes: Buffer.from(text),
  expectedVersion,
  expiresAt: clock.now() + 15 * MINUTE,
  keepUntil: clock.now() + 16 * SECOND,
})

async function readText(store: Store, key = 'k'): Promise<string | undefined> {
  const record = await store.read(key)
  return record && Buffer.from(record.bytes).toString()
}

async function readInner(key = 'k'): Promise<Buffer> {
  return Buffer.from((await inner.read(key))?.bytes ?? [])
}

/** Overwrites a record of the inner store, as anyone who can write to the table may. */
async function forge(change: (bytes: Buffer) => Buffer, { from = 'k', to = 'k' } = {}): Promise<void> {
  const expectedVersion = (await inner.read(to))?.version ?? 'absent'
  const bytes = change(await readInner(from))
  await inner.compareAndSwap({ ...write('', expectedVersion, to), bytes })
}

async function unreadableReason(call: Promise<unknown>): Promise<string | undefined> {
  const cause = await call.then(
    () => expect.unreachable('it did not reject'),
    (rejected: unknown) => rejected,
  )
  if (!(cause instanceof UnreadableRecord)) return expect.unreachable('it is not an UnreadableRecord')
  expect(cause.code).toBe('temporarily_unavailable')
  return cause.reason
}

const isUnreadable = (cause: unknown) => cause instanceof UnreadableRecord

describe('a record on the inner store', () => {
  test('shows nothing of the text, and is never the same twice', async () => {
    const store = storeWith(newKeyring())
    const text = `token-${randomBytes(20).toString('hex')}`
    await store.compareAndSwap(write(text))
    const first = await readInner()
    await store.compareAndSwap(write(text, (await inner.read('k'))?.version))
    const second = await readInner()
    for (const bytes of [first, second])
      for (const encoding of ['latin1', 'base64', 'hex'] as const)
        expect(bytes.toString('latin1')).not.toContain(Buffer.from(text).toString(encoding).slice(0, 12))
    const payload = (bytes: Buffer) => bytes.subarray(bytes.indexOf('\n')).toString('hex')
    expect(payload(first)).not.toBe(payload(second))
    expect(await readText(store)).toBe(text)
  })

  test('shows its version, the key id and keepUntil in clear', async () => {
    await storeWith(newKeyring()).compareAndSwap(write('x'))
    const [header = ''] = (await readInner()).toString().split('\n')
    expect(JSON.parse(header)).toEqual({
      v: 1,
      key: expect.stringMatching(/^file\//),
      keepUntil: clock.now() + 16 * SECOND,
    })
  })

  test('is read back byte for byte, whatever it holds', async () => {
    const store = storeWith(newKeyring())
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.string({ minLength: 1 }), async (bytes, key) => {
        const expectedVersion = (await inner.read(key))?.version ?? 'absent'
        expect(await store.compareAndSwap({ ...write('', expectedVersion, key), bytes })).not.toBe('conflict')
        expect(Buffer.from((await store.read(key))?.bytes ?? [])).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 50 },
    )
  })
})

describe('an attacker with write access to the table', () => {
  let store: Store
  beforeEach(async () => {
    store = storeWith(newKeyring())
    await store.compareAndSwap(write('the token'))
  })

  test('cannot move a record to another key', async () => {
    await forge(bytes => bytes, { to: 'other' })
    expect(await store.read('other')).toBeUndefined()
    const why = expect.stringContaining('its authentication tag does not match')
    expect(unreadables).toEqual([{ key: 'other', why }])
    expect(await store.compareAndSwap(write('mine', 'absent', 'other'))).not.toBe('conflict')
    expect(await readText(store, 'other')).toBe('mine')
  })

  test('cannot change a bit of a record', async () => {
    const bytes = await readInner()
    for (let at = 0; at < bytes.length; at++) {
      await forge(() => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))))
      // a record whose header no longer names a keepUntil is as good as absent
      const outcome = await readText(store).catch(isUnreadable)
      expect([true, undefined]).toContain(outcome)
    }
  })

  test('cannot cut a record short', async () => {
    const bytes = await readInner()
    for (let length = 0; length < bytes.length; length++) {
      await forge(() => Buffer.from(bytes.subarray(0, length)))
      expect([true, undefined]).toContain(await readText(store).catch(isUnreadable))
    }
  })

  test('cannot change keepUntil unnoticed', async () => {
    const keepUntil = clock.now() + 16 * SECOND
    await forge(bytes =>
      Buffer.from(bytes.toString('latin1').replace(`${keepUntil}`, `${keepUntil - 1}`), 'latin1'),
    )
    expect(await store.read('k')).toBeUndefined()
    expect(unreadables).toMatchObject([{ why: expect.stringContaining('it was changed') }])
  })

  const laterFormat = (keepUntil: number) => () => Buffer.from(`{"v":2,"keepUntil":${keepUntil}}\n…`)

  test.each([
    ['the year 275760', 8.64e15],
    ['just beyond a lease and what clocks may differ by', 21 * SECOND + 1],
  ])('denies nothing with a record of a later format that is kept until %s', async (_, later) => {
    await forge(laterFormat(Math.max(later, clock.now() + later)))
    expect(await store.read('k')).toBeUndefined()
    expect(await store.compareAndSwap(write('new'))).not.toBe('conflict')
  })

  test('denies it for 16 s in all, though the clock that kept the record be some seconds ahead', async () => {
    await forge(laterFormat(clock.now() + 20 * SECOND))
    await unreadableReason(store.read('k'))
    await clock.advance(16 * SECOND - 1)
    await unreadableReason(store.read('k'))
    await clock.advance(1)
    expect(await store.read('k')).toBeUndefined()
  })

  test('denies a record for a lease at most, even with another such record every few seconds', async () => {
    const start = clock.now()
    const answers: boolean[] = []
    for (let second = 0; second < 120; second++) {
      await forge(laterFormat(clock.now() + 16 * SECOND))
      const isRefused = await store.read('k').then(() => false, isUnreadable)
      expect(isRefused).toBe(clock.now() - start < 16 * SECOND)
      answers.push((await store.compareAndSwap(write('new')).catch(() => 'conflict')) !== 'conflict')
      await clock.advance(SECOND)
    }
    expect(answers).toEqual(answers.map((_, second) => second >= 16))
  })

  test('is believed again an hour later: the next release may write such a record', async () => {
    await forge(laterFormat(clock.now() + 16 * SECOND))
    await unreadableReason(store.read('k'))
    await clock.advance(60 * MINUTE)
    await forge(laterFormat(clock.now() + 16 * SECOND))
    await unreadableReason(store.read('k'))
  })

  test('puts no word of its own before anybody', async () => {
    const word = 'click-here.example'
    for (const header of [
      `{"v":1,"key":"${word}","keepUntil":${clock.now() + 1}}`,
      `{"v":2,"key":"${word}","keepUntil":${clock.now() + 1},"${word}":"${word}"}`,
    ]) {
      await forge(() => Buffer.from(`${header}\n${word}`))
      expect(await unreadableReason(store.read('k'))).not.toContain(word)
    }
    expect(unreadables).toHaveLength(2)
    expect(JSON.stringify(unreadables)).not.toContain(word)
  })

  test.each([
    ['no header', '\n'],
    ['a header that is not JSON', '{"v":1\n'],
    ['a header that is null', 'null\n'],
    ['a header without a version', '{"keepUntil":9e15}\n'],
    ['a keepUntil beyond all dates', '{"v":2,"keepUntil":1e300}\n'],
    ['a version that no release has', '{"v":0,"keepUntil":1795428001000}\n'],
    ['a header without an end', `{"v":2,"keepUntil":1795428001000,"x":"${'x'.repeat(2000)}"}\n`],
    ['no bytes', ''],
  ])('cannot break the store with a record that has %s', async (_, text) => {
    await forge(() => Buffer.from(text))
    expect(await store.read('k')).toBeUndefined()
    expect(await store.compareAndSwap(write('new'))).not.toBe('conflict')
    expect(await readText(store)).toBe('new')
  })

  test('cannot pass an invalid key id to the keyring', async () => {
    const requestedIds: string[] = []
    const decryptionKey = async (id: string) => void requestedIds.push(id) as undefined
    const store = storeWith({ ...newKeyring(), decryptionKey })
    await forge(() =>
      Buffer.from(`{"v":1,"key":"${'x'.repeat(101)}","keepUntil":${clock.now() + 1}}\npayload`),
    )
    await unreadableReason(store.read('k'))
    expect(requestedIds).toEqual([''])
  })
})

describe('a record that cannot be decrypted', () => {
  const newerRecord = () => Buffer.from(`{"v":2,"keepUntil":${clock.now() + 16 * SECOND},"more":true}\n…`)

  test.each<[string, () => Promise<Store>, RegExp]>([
    [
      'because its key is missing',
      async () => {
        await storeWith(newKeyring()).compareAndSwap(write('theirs'))
        return storeWith(newKeyring())
      },
      /^the record k cannot be read: .* a key that this instance does not have: .*store\.encryption/,
    ],
    [
      'because a newer release encrypted it',
      async () => {
        await inner.compareAndSwap({ ...write(''), bytes: newerRecord() })
        return storeWith(newKeyring())
      },
      /a newer release/,
    ],
  ])('%s is not overwritten before its keepUntil, and is absent from then on', async (_, create, reason) => {
    const store = await create()
    const before = await inner.read('k')
    for (const atMs of [0, 16 * SECOND - 1]) {
      await clock.advance(atMs)
      expect(await unreadableReason(store.read('k'))).toMatch(reason)
      expect(await unreadableReason(store.compareAndSwap(write('new')))).toMatch(reason)
    }
    expect(await inner.read('k')).toEqual(before)
    expect(unreadables).toHaveLength(4)

    await clock.advance(1)
    expect(await store.read('k')).toBeUndefined()
    expect(await store.compareAndSwap(write('new'))).not.toBe('conflict')
    expect(await readText(store)).toBe('new')
    expect(unreadables.length).toBeGreaterThan(4)
  })

  test('is replaced by one of the instances that try at once', async () => {
    await storeWith(newKeyring()).compareAndSwap(write('theirs'))
    const keyring = newKeyring()
    await clock.advance(16 * SECOND)
    const writes = Array.from({ length: 10 }, (_, i) => storeWith(keyring).compareAndSwap(write(`${i}`)))
    expect((await Promise.all(writes)).filter(outcome => outcome !== 'conflict')).toHaveLength(1)
  })

  test('is not overwritten if another instance has renewed it meanwhile', async () => {
    const [ours, theirs] = [storeWith(newKeyring()), storeWith(newKeyring())]
    await theirs.compareAndSwap(write('old'))
    await clock.advance(16 * SECOND)
    expect(await ours.read('k')).toBeUndefined()
    await theirs.compareAndSwap(write('new', (await inner.read('k'))?.version))
    await unreadableReason(ours.compareAndSwap(write('ours')))
    expect(await readText(theirs)).toBe('new')
  })
})

test('a keyring that rejects rejects the call, and nothing is overwritten, not even after keepUntil', async () => {
  const failure = Object.assign(new Error('KMS is unreachable'), { code: 'temporarily_unavailable' })
  const keyring = newKeyring()
  await storeWith(keyring).compareAndSwap(write('theirs'))
  await clock.advance(MINUTE)
  const store = storeWith({ ...keyring, decryptionKey: () => Promise.reject(failure) })
  await expect(store.read('k')).rejects.toBe(failure)
  await expect(store.compareAndSwap(write('new'))).rejects.toBe(failure)
  expect(await readText(storeWith(keyring))).toBe('theirs')
})

test('an instance with both keys reads what either has encrypted', async () => {
  const [older, newer] = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))]
  const [before, during, after] = [[older], [newer, older], [newer]].map(keys =>
    storeWith(createFileKeyring(keys)),
  )
  await before!.compareAndSwap(write('by the older key'))
  expect(await readText(during!)).toBe('by the older key')
  await during!.compareAndSwap(write('by the newer key', (await inner.read('k'))?.version))
  expect(await readText(after!)).toBe('by the newer key')
})

test('of two instances with different keys, neither keeps the other from a record for longer than a lease', async () => {
  const [ours, theirs] = [storeWith(newKeyring()), storeWith(newKeyring())]
  await theirs.compareAndSwap(write('theirs'))
  await unreadableReason(ours.compareAndSwap(write('ours')))
  await clock.advance(16 * SECOND)
  expect(await ours.compareAndSwap(write('ours'))).not.toBe('conflict')
  await unreadableReason(theirs.compareAndSwap(write('theirs')))
  await clock.advance(16 * SECOND)
  expect(await theirs.compareAndSwap(write('theirs'))).not.toBe('conflict')
})
