import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

interface WriteOptions {
  key?: string
  forMs?: number
  keepForMs?: number
}

/** The suite that every store passes. `createPair` returns two instances that share their records. */
export function describeStore(
  name: string,
  createPair: (clock: VirtualClock) => Promise<readonly [Store, Store]>,
): void {
  describe(`the store ${name}`, () => {
    async function setUp() {
      const clock = virtualClock()
      const [one, other] = await createPair(clock)
      function write(
        store: Store,
        expectedVersion: string,
        content: string | Buffer,
        { key = 'k', forMs = 1000, keepForMs }: WriteOptions = {},
      ) {
        const now = clock.now()
        return store.compareAndSwap({
          key,
          bytes: Buffer.from(content),
          expectedVersion,
          expiresAt: now + forMs,
          ...(keepForMs !== undefined && { keepUntil: now + keepForMs }),
        })
      }
      return { clock, one, other, write }
    }

    async function readText(store: Store, key = 'k') {
      return Buffer.from((await store.read(key))?.bytes ?? []).toString()
    }

    test('is empty at first', async () => {
      const { one } = await setUp()
      expect(await one.read('k')).toBeUndefined()
    })

    test('returns to every instance what one has written, with its version', async () => {
      const { one, other, write } = await setUp()
      const version = await write(one, 'absent', 'first')
      expect((await other.read('k'))?.version).toBe(version)
      expect(await readText(other)).toBe('first')
    })

    test('writes only if the record has not changed since it was read', async () => {
      const { one, other, write } = await setUp()
      const first = await write(one, 'absent', 'first')
      expect(await write(other, 'absent', 'late')).toBe('conflict')
      const second = await write(other, first, 'second')
      expect(second).not.toBe('conflict')
      expect(await write(one, first, 'late')).toBe('conflict')
      expect(await readText(one)).toBe('second')
    })

    test('lets one of many concurrent first writes through', async () => {
      const { one, other, write } = await setUp()
      const writes = Array.from({ length: 20 }, (_, i) => write(i % 2 ? one : other, 'absent', `${i}`))
      const outcomes = await Promise.all(writes)
      expect(outcomes.filter(outcome => outcome !== 'conflict')).toHaveLength(1)
    })

    test('lets one of many concurrent writes that expect the same version through', async () => {
      const { one, other, write } = await setUp()
      const first = await write(one, 'absent', 'first')
      const writes = Array.from({ length: 10 }, (_, i) => write(i % 2 ? one : other, first, `${i}`))
      const versions = (await Promise.all(writes)).filter(outcome => outcome !== 'conflict')
      expect(versions).toHaveLength(1)
      expect(await other.read('k')).toEqual({ bytes: expect.anything(), version: versions[0] })
    })

    test('never uses a version twice, even for the same bytes', async () => {
      const { clock, one, other, write } = await setUp()
      const first = await write(one, 'absent', 'same')
      await clock.advance(1000)
      const second = await write(other, 'absent', 'same')
      expect(second).not.toBe(first)
      expect(await write(one, first, 'late')).toBe('conflict')
      expect(await write(one, second, 'next')).not.toBe('conflict')
    })

    test('goes by the expiry of the last write', async () => {
      const { clock, one, other, write } = await setUp()
      const first = await write(one, 'absent', 'first', { forMs: 1000 })
      const second = await write(one, first, 'second', { forMs: 5000 })
      await clock.advance(4999)
      expect((await other.read('k'))?.version).toBe(second)
      await clock.advance(1)
      expect(await other.read('k')).toBeUndefined()
    })

    test('lets an instance that can read a record overwrite it before its keepUntil', async () => {
      const { clock, one, other, write } = await setUp()
      const first = await write(one, 'absent', 'first', { forMs: 5000, keepForMs: 5000 })
      const second = await write(other, first, 'second', { forMs: 1000, keepForMs: 5000 })
      expect(second).not.toBe('conflict')
      await clock.advance(1000)
      expect(await one.read('k')).toBeUndefined()
      expect(await write(one, 'absent', 'third', { forMs: 8000, keepForMs: 4000 })).not.toBe('conflict')
    })

    test('keeps any bytes under any key', async () => {
      const { one, other, write } = await setUp()
      const allBytes = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 256))
      const keys = ['k', 'K', 'k ', 'k/1', 'k#1', 'ключ 🗝', 'x'.repeat(500)]
      const contentOf = (key: string) => Buffer.concat([Buffer.from(key), allBytes])
      for (const key of keys) await write(one, 'absent', contentOf(key), { key })
      for (const key of keys) {
        const record = await other.read(key)
        expect(contentOf(key).equals(record?.bytes ?? Buffer.from(''))).toBe(true)
      }
    })

    test('treats an expired record as absent, in reads and in writes', async () => {
      const { clock, one, write } = await setUp()
      const version = await write(one, 'absent', 'first', { forMs: 1000 })
      await clock.advance(1000)
      expect(await one.read('k')).toBeUndefined()
      expect(await write(one, version, 'late')).toBe('conflict')
      expect(await write(one, 'absent', 'new')).not.toBe('conflict')
    })

    test('keeps keys apart, and copies the bytes that it is given and returns', async () => {
      const { clock, one, write } = await setUp()
      const bytes = Buffer.from('mine')
      const expiresAt = clock.now() + 1000
      await one.compareAndSwap({ key: 'a', bytes, expectedVersion: 'absent', expiresAt })
      await write(one, 'absent', 'b', { key: 'b' })
      bytes[0] = 0
      const record = await one.read('a')
      if (record) record.bytes[1] = 0
      expect(await readText(one, 'a')).toBe('mine')
    })
  })
}
