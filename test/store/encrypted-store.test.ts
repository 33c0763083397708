import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { encryptStore } from '../../src/store/encrypted-store.ts'
import { createFileKeyring } from '../../src/store/keyring/file-keyring.ts'
import type { Keyring } from '../../src/store/keyring/keyring.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { isUnreadableRecord } from '../../src/store/unreadable-record.ts'
import { describeStore } from '../contracts/stores.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

const MINUTE = 60_000
const newRing = () => createFileKeyring([createSecretKey(randomBytes(32))])

describeStore('sealed, in memory', async clock => {
  const inner = createMemoryStore(clock)
  const keyring = newRing()
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

const shelfWith = (keyring: Keyring): Store =>
  encryptStore(inner, { keyring, clock, onUnreadable: record => void unreadables.push(record) })

/** A record that is of use for 9 minutes and there for 15. */
const record = (text: string, expectedVersion = 'absent', key = 'k') => ({
  key,
  bytes: Buffer.from(text),
  expectedVersion,
  expiresAt: clock.now() + 15 * MINUTE,
  keepUntil: clock.now() + 9 * MINUTE,
})

async function textOn(store: Store, key = 'k'): Promise<string | undefined> {
  const found = await store.read(key)
  return found && Buffer.from(found.bytes).toString()
}

/** Puts bytes in the place of the record as the inner store has it, as who can write to the table may. */
async function forge(change: (bytes: Buffer) => Buffer, { from = 'k', to = 'k' } = {}): Promise<void> {
  const source = await inner.read(from)
  const place = await inner.read(to)
  await inner.compareAndSwap({
    ...record('', place?.version ?? 'absent', to),
    bytes: change(Buffer.from(source?.bytes ?? [])),
  })
}

async function refusal(attempt: Promise<unknown>): Promise<{ reason?: string }> {
  const cause = await attempt.then(
    () => expect.unreachable('it was not refused'),
    (rejected: unknown) => rejected,
  )
  expect(isUnreadableRecord(cause)).toBe(true)
  expect(cause).toMatchObject({ code: 'temporarily_unavailable' })
  return cause as { reason?: string }
}

describe('what stands on the inner store', () => {
  test('shows nothing of the contents, and not the same twice', async () => {
    const store = shelfWith(newRing())
    const text = `token-${randomBytes(20).toString('hex')}`
    await store.compareAndSwap(record(text))
    const first = Buffer.from((await inner.read('k'))?.bytes ?? [])
    await store.compareAndSwap(record(text, (await inner.read('k'))?.version))
    const second = Buffer.from((await inner.read('k'))?.bytes ?? [])
    for (const bytes of [first, second])
      for (const encoding of ['latin1', 'base64', 'hex'] as const)
        expect(bytes.toString('latin1')).not.toContain(Buffer.from(text).toString(encoding).slice(0, 12))
    const seal = (bytes: Buffer) => bytes.subarray(bytes.indexOf('\n')).toString('hex')
    expect(seal(first)).not.toBe(seal(second))
    expect(await textOn(store)).toBe(text)
  })

  test('tells everybody its version and until when it is of use', async () => {
    await shelfWith(newRing()).compareAndSwap(record('x'))
    const [label = ''] = Buffer.from((await inner.read('k'))?.bytes ?? [])
      .toString()
      .split('\n')
    expect(JSON.parse(label)).toEqual({
      v: 1,
      key: expect.stringMatching(/^file\//),
      keepUntil: clock.now() + 9 * MINUTE,
    })
  })

  test('gives any bytes back as they were', async () => {
    const store = shelfWith(newRing())
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.string({ minLength: 1 }), async (bytes, key) => {
        const expectedVersion = (await inner.read(key))?.version ?? 'absent'
        expect(await store.compareAndSwap({ ...record('', expectedVersion, key), bytes })).not.toBe(
          'conflict',
        )
        expect(Buffer.from((await store.read(key))?.bytes ?? [])).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 50 },
    )
  })
})

describe('who can write to the table', () => {
  let store: Store
  beforeEach(async () => {
    store = shelfWith(newRing())
    await store.compareAndSwap(record('the token'))
  })

  test('cannot lay a record under another key', async () => {
    await forge(bytes => bytes, { to: 'other' })
    expect((await refusal(store.read('other'))).reason).toContain('its seal is broken')
    expect(unreadables).toEqual([{ key: 'other', why: expect.stringContaining('its seal is broken') }])
  })

  test('cannot change a bit of it', async () => {
    const { bytes = new Uint8Array() } = (await inner.read('k')) ?? {}
    for (let at = 0; at < bytes.length; at++) {
      await forge(() => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))))
      // what no longer says until when it is of use is as good as absent
      const read = await textOn(store).catch(cause => isUnreadableRecord(cause))
      expect([true, undefined]).toContain(read)
    }
  })

  test('cannot cut it short', async () => {
    const { bytes = new Uint8Array() } = (await inner.read('k')) ?? {}
    for (let length = 0; length < bytes.length; length++) {
      await forge(() => Buffer.from(bytes.subarray(0, length)))
      expect([true, undefined]).toContain(await textOn(store).catch(cause => isUnreadableRecord(cause)))
    }
  })

  test('cannot make it last longer unseen', async () => {
    const keepUntil = clock.now() + 9 * MINUTE
    await forge(bytes =>
      Buffer.from(bytes.toString('latin1').replace(`${keepUntil}`, `${keepUntil + MINUTE}`), 'latin1'),
    )
    await refusal(store.read('k'))
  })

  test.each([
    ['no label', '\n'],
    ['no JSON', '{"v":1\n'],
    ['null', 'null\n'],
    ['no version', '{"keepUntil":9e15}\n'],
    ['a time beyond all dates', '{"v":2,"keepUntil":1e300}\n'],
    ['nothing', ''],
  ])('cannot break the store: %s', async (_, text) => {
    await forge(() => Buffer.from(text))
    expect(await store.read('k')).toBeUndefined()
    expect(await store.compareAndSwap(record('new'))).not.toBe('conflict')
    expect(await textOn(store)).toBe('new')
  })

  test('cannot have a key looked for that is no key', async () => {
    const asked: string[] = []
    const keyring = { ...newRing(), decryptionKey: async (id: string) => void asked.push(id) }
    await forge(() => Buffer.from(`{"v":1,"key":"${'x'.repeat(101)}","keepUntil":${clock.now() + 1}}\nseal`))
    await refusal(shelfWith(keyring as Keyring).read('k'))
    expect(asked).toEqual([''])
  })
})

describe('a record that cannot be opened', () => {
  const newer = () => Buffer.from(`{"v":2,"keepUntil":${clock.now() + 9 * MINUTE},"more":true}\n…`)

  test.each<[string, () => Promise<Store>, RegExp]>([
    [
      'for want of its key',
      async () => {
        await shelfWith(newRing()).compareAndSwap(record('theirs'))
        return shelfWith(newRing())
      },
      /^the record k cannot be read: a key that this instance does not have .*file\/.*store\.encryption/,
    ],
    [
      'because a newer release sealed it',
      async () => {
        await inner.compareAndSwap({ ...record(''), bytes: newer() })
        return shelfWith(newRing())
      },
      /a newer release/,
    ],
    [
      'for its broken seal',
      async () => {
        const store = shelfWith(newRing())
        await store.compareAndSwap(record('ours'))
        await forge(bytes => Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]))
        return store
      },
      /its seal is broken/,
    ],
  ])('%s is left alone as long as it is of use, and then replaced', async (_, make, reason) => {
    const store = await make()
    const before = await inner.read('k')
    for (const atMs of [0, 9 * MINUTE - 1]) {
      await clock.advance(atMs)
      expect((await refusal(store.read('k'))).reason).toMatch(reason)
      expect((await refusal(store.compareAndSwap(record('new')))).reason).toMatch(reason)
    }
    expect(await inner.read('k')).toEqual(before)
    expect(unreadables).toHaveLength(4)

    await clock.advance(1)
    expect(await store.read('k')).toBeUndefined()
    expect(await store.compareAndSwap(record('new'))).not.toBe('conflict')
    expect(await textOn(store)).toBe('new')
    expect(unreadables).toHaveLength(4)
  })

  test('is replaced by one of those who want it', async () => {
    await shelfWith(newRing()).compareAndSwap(record('theirs'))
    const keyring = newRing()
    await clock.advance(9 * MINUTE)
    const swaps = Array.from({ length: 10 }, (_, i) => shelfWith(keyring).compareAndSwap(record(`${i}`)))
    expect((await Promise.all(swaps)).filter(outcome => outcome !== 'conflict')).toHaveLength(1)
  })

  test('is no reason to touch one that somebody put there meanwhile', async () => {
    const [ours, theirs] = [shelfWith(newRing()), shelfWith(newRing())]
    await theirs.compareAndSwap(record('old'))
    await clock.advance(9 * MINUTE)
    expect(await ours.read('k')).toBeUndefined()
    await theirs.compareAndSwap(record('new', (await inner.read('k'))?.version))
    await refusal(ours.compareAndSwap(record('ours')))
    expect(await textOn(theirs)).toBe('new')
  })
})

test('a keyring that cannot say refuses the read, and overwrites nothing even where nothing is to be kept', async () => {
  const down = Object.assign(new Error('KMS is away'), { code: 'temporarily_unavailable' })
  const ring = newRing()
  await shelfWith(ring).compareAndSwap(record('theirs'))
  await clock.advance(10 * MINUTE)
  const store = shelfWith({ ...ring, decryptionKey: () => Promise.reject(down) })
  await expect(store.read('k')).rejects.toBe(down)
  await expect(store.compareAndSwap(record('new'))).rejects.toBe(down)
  expect(await textOn(shelfWith(ring))).toBe('theirs')
})

test('an instance that is given both keys reads what either has sealed', async () => {
  const [older, newer] = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))]
  const [before, during, after] = [[older], [newer, older], [newer]].map(keys =>
    shelfWith(createFileKeyring(keys)),
  )
  await before!.compareAndSwap(record('by the old one'))
  expect(await textOn(during!)).toBe('by the old one')
  await during!.compareAndSwap(record('by the new one', (await inner.read('k'))?.version))
  expect(await textOn(after!)).toBe('by the new one')
})

test('over a day, two instances with different keys take turns instead of fighting', async () => {
  const stores = [shelfWith(newRing()), shelfWith(newRing())]
  const puts: { by: number; at: number }[] = []
  let refused = 0
  for (let minute = 0; minute < 24 * 60; minute++) {
    for (const [by, store] of stores.entries()) {
      const found = await store.read('k').catch(cause => isUnreadableRecord(cause) && ('refused' as const))
      if (found === 'refused') refused++
      else if (!found && (await store.compareAndSwap(record(`${by}`))) !== 'conflict')
        puts.push({ by, at: clock.now() })
    }
    await clock.advance(MINUTE)
  }
  for (const [i, { by, at }] of puts.entries()) {
    const next = puts[i + 1]
    if (next && next.by !== by) expect(next.at - at).toBeGreaterThanOrEqual(9 * MINUTE)
  }
  expect(puts.length).toBeGreaterThan(24 * 4)
  expect(puts.length).toBeLessThanOrEqual((24 * 60) / 9)
  expect(refused).toBe(unreadables.length)
  expect(refused).toBeGreaterThan(24 * 60 * 0.8)
})
