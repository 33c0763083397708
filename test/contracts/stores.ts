import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

const bytes = (text: string) => Buffer.from(text)

/** What every store must do, whatever it stands on. `open` gives instances that share one. */
export function describeStore(
  name: string,
  open: (clock: VirtualClock) => Promise<readonly [Store, Store]>,
): void {
  describe(`the store ${name}`, () => {
    async function opened() {
      const clock = virtualClock()
      const [one, other] = await open(clock)
      const put = (store: Store, expectedVersion: string, text: string, forMs = 1000) =>
        store.compareAndSwap({
          key: 'k',
          bytes: bytes(text),
          expectedVersion,
          expiresAt: clock.now() + forMs,
        })
      return { clock, one, other, put }
    }

    test('has nothing at first', async () => {
      const { one } = await opened()
      expect(await one.read('k')).toBeUndefined()
    })

    test('gives everyone what one has put, with the version it was put with', async () => {
      const { one, other, put } = await opened()
      const version = await put(one, 'absent', 'first')
      const read = await other.read('k')
      expect(read?.version).toBe(version)
      expect(Buffer.from(read?.bytes ?? [])).toEqual(bytes('first'))
    })

    test('swaps only what nobody has changed since it was read', async () => {
      const { one, other, put } = await opened()
      const first = await put(one, 'absent', 'first')
      expect(await put(other, 'absent', 'late')).toBe('conflict')
      const second = await put(other, first, 'second')
      expect(second).not.toBe('conflict')
      expect(await put(one, first, 'late')).toBe('conflict')
      expect(Buffer.from((await one.read('k'))?.bytes ?? [])).toEqual(bytes('second'))
    })

    test('of many who swap at once, one gets through', async () => {
      const { one, other, put } = await opened()
      const swaps = Array.from({ length: 20 }, (_, i) => put(i % 2 ? one : other, 'absent', `${i}`))
      const outcomes = await Promise.all(swaps)
      expect(outcomes.filter(outcome => outcome !== 'conflict')).toHaveLength(1)
    })

    test('of many who swap the same version at once, one gets through', async () => {
      const { one, other, put } = await opened()
      const first = await put(one, 'absent', 'first')
      const swaps = Array.from({ length: 10 }, (_, i) => put(i % 2 ? one : other, first, `${i}`))
      const outcomes = await Promise.all(swaps)
      const through = outcomes.filter(outcome => outcome !== 'conflict')
      expect(through).toHaveLength(1)
      expect(await other.read('k')).toEqual({
        bytes: expect.anything(),
        version: through[0],
      })
    })

    test('a version never comes again, though the record be the same', async () => {
      const { clock, one, other, put } = await opened()
      const first = await put(one, 'absent', 'same')
      await clock.advance(1000)
      const second = await put(other, 'absent', 'same')
      expect(second).not.toBe(first)
      expect(await put(one, first, 'late')).toBe('conflict')
      expect(await put(one, second, 'next')).not.toBe('conflict')
    })

    test('goes by the time that a swap has set anew', async () => {
      const { clock, one, other, put } = await opened()
      const first = await put(one, 'absent', 'first', 1000)
      const second = await put(one, first, 'second', 5000)
      await clock.advance(4999)
      expect((await other.read('k'))?.version).toBe(second)
      await clock.advance(1)
      expect(await other.read('k')).toBeUndefined()
    })

    test('what is kept for those who cannot read it binds nobody who can', async () => {
      const { clock, one, other } = await opened()
      const now = clock.now()
      const kept = { key: 'k', keepUntil: now + 5000 }
      const first = await one.compareAndSwap({
        ...kept,
        bytes: bytes('first'),
        expectedVersion: 'absent',
        expiresAt: now + 5000,
      })
      const second = await other.compareAndSwap({
        ...kept,
        bytes: bytes('second'),
        expectedVersion: first,
        expiresAt: now + 1000,
      })
      expect(second).not.toBe('conflict')
      await clock.advance(1000)
      expect(await one.read('k')).toBeUndefined()
      const third = await one.compareAndSwap({
        ...kept,
        bytes: bytes('third'),
        expectedVersion: 'absent',
        expiresAt: now + 9000,
      })
      expect(third).not.toBe('conflict')
    })

    test('keeps any bytes under any key', async () => {
      const { clock, one, other } = await opened()
      const all = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 256))
      const keys = ['k', 'K', 'k ', 'k/1', 'k#1', 'ключ 🗝', 'x'.repeat(500)]
      for (const key of keys) {
        const mark = Buffer.concat([bytes(key), all])
        await one.compareAndSwap({
          key,
          bytes: mark,
          expectedVersion: 'absent',
          expiresAt: clock.now() + 1000,
        })
      }
      for (const key of keys) {
        const read = await other.read(key)
        expect(Buffer.concat([bytes(key), all]).equals(read?.bytes ?? bytes(''))).toBe(true)
      }
    })

    test('a record that has expired is absent, to readers and to swaps', async () => {
      const { clock, one, put } = await opened()
      const version = await put(one, 'absent', 'first', 1000)
      await clock.advance(1000)
      expect(await one.read('k')).toBeUndefined()
      expect(await put(one, version, 'late')).toBe('conflict')
      expect(await put(one, 'absent', 'new')).not.toBe('conflict')
    })

    test('keeps keys apart, and is not changed by what is done to bytes given or got', async () => {
      const { clock, one } = await opened()
      const mine = bytes('mine')
      await one.compareAndSwap({
        key: 'a',
        bytes: mine,
        expectedVersion: 'absent',
        expiresAt: clock.now() + 1000,
      })
      await one.compareAndSwap({
        key: 'b',
        bytes: bytes('b'),
        expectedVersion: 'absent',
        expiresAt: clock.now() + 1000,
      })
      mine[0] = 0
      const read = await one.read('a')
      if (read) read.bytes[1] = 0
      expect(Buffer.from((await one.read('a'))?.bytes ?? []).toString()).toBe('mine')
    })
  })
}
