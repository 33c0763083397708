import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import { reserveSlots, type SlotsRequest } from '../../../src/tokens/rate-limit/slots.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { claimOf, claimsOf } from './support.ts'

const KEY = 'turns/r'

let clock: VirtualClock
let store: Store
let now: number

beforeEach(() => {
  clock = virtualClock()
  store = createMemoryStore(clock)
  now = clock.now()
})

function reserve(request: Partial<SlotsRequest> = {}) {
  const own = { until: 0, unusedFrom: 0 }
  return reserveSlots(
    { store, clock },
    {
      resource: 'r',
      claims: claimsOf(1),
      notBefore: now,
      notAfter: now + 5000,
      horizonMs: 5000,
      spacingMs: 100,
      writeMs: 0,
      own,
      ...request,
    },
  )
}

async function write(text: string) {
  const expectedVersion = (await store.read(KEY))?.version ?? 'absent'
  await store.compareAndSwap({
    key: KEY,
    bytes: Buffer.from(text),
    expectedVersion,
    expiresAt: now + 60_000,
  })
}

const storedText = async () => Buffer.from((await store.read(KEY))!.bytes).toString()

describe('reserveSlots', () => {
  test('returns slots one after the other, and the next instance gets those after them', async () => {
    expect(await reserve({ claims: claimsOf(2) })).toMatchObject({
      slots: [now, now + 100],
      use: { next: now + 200 },
      writeMs: 0,
    })
    expect(await reserve({ claims: claimsOf(2) })).toMatchObject({ slots: [now + 200, now + 300] })
  })

  test('returns no slot before the first caller is ready, nor one that is over when the write is done', async () => {
    expect((await reserve({ notBefore: now + 500 })).slots).toEqual([now + 500])
    expect((await reserve({ resource: 'other', writeMs: 70 })).slots).toEqual([now + 70])
  })

  test('returns fewer slots than requested if the others come too late, and writes nothing for none', async () => {
    expect((await reserve({ claims: claimsOf(100), notAfter: now + 250 })).slots).toEqual([
      now,
      now + 100,
      now + 200,
    ])
    const before = await storedText()
    expect(await reserve({ notAfter: now + 250 })).toMatchObject({
      slots: [],
      use: { next: now + 300 },
      writeMs: 0,
    })
    expect(await storedText()).toBe(before)
  })

  test('returns own slots that went by unused again, unless another instance has reserved since', async () => {
    const { use } = await reserve({ claims: claimsOf(3) })
    const own = { until: use.next, unusedFrom: now + 100 }
    expect((await reserve({ own })).slots).toEqual([now + 100])
    expect((await reserve({ own })).slots).toEqual([now + 200])
  })

  test('tries again after a conflict, behind what the other instance has reserved', async () => {
    const inner = store
    let swaps = 0
    store = {
      read: key => inner.read(key),
      async compareAndSwap(change) {
        if (swaps++ > 0) return inner.compareAndSwap(change)
        const taken = Buffer.from(`{"v":1,"keepUntil":${now + 300},"next":${now + 300}}`)
        await inner.compareAndSwap({ ...change, bytes: taken })
        return 'conflict'
      },
    }
    expect((await reserve()).slots).toEqual([now + 300])
  })

  test('is temporarily_unavailable after 50 conflicts in a row', async () => {
    let swaps = 0
    const busy: Store = {
      read: key => store.read(key),
      async compareAndSwap() {
        swaps++
        return 'conflict'
      },
    }
    const request = {
      resource: 'r',
      claims: claimsOf(1),
      notBefore: now,
      notAfter: now,
      horizonMs: 5000,
      spacingMs: 100,
      writeMs: 0,
    }
    const own = { until: 0, unusedFrom: 0 }
    await expect(reserveSlots({ store: busy, clock }, { ...request, own })).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      retryAfterMs: 1000,
    })
    expect(swaps).toBe(50)
  })
})

describe('a record of slots', () => {
  test('is written with the bytes that every release writes, under its old key', async () => {
    const claims = ['one', 'other', 'one'].map(subject => claimOf('orders', { subject }))
    await reserve({ claims: [...claims, claimOf('reports')] })
    expect(now).toBe(1795428000000)
    expect(await storedText()).toBe(
      '{"v":1,"keepUntil":1795428000400,"next":1795428000400,"held":{"33f7b61c6e0c":{"29a091185c29":[400,200],"5a7d257235ec":[300]},"216190e6de1b":{"b65885386e35":[100]}}}',
    )
  })

  test('that another release wrote is read', async () => {
    await write('{"v":1,"keepUntil":1795428000300,"next":1795428000300}')
    expect((await reserve()).slots).toEqual([1795428000300])
  })

  test('is dropped by the store a minute after its last slot', async () => {
    await reserve({ claims: claimsOf(2) })
    await clock.advance(60_199)
    expect(await store.read(KEY)).toBeDefined()
    await clock.advance(1)
    expect(await store.read(KEY)).toBeUndefined()
  })

  test.each(['null', '{}', 'x', '{"v":1,"next":"soon"}'])('of nonsense (%s) counts as none', async text => {
    await write(text)
    expect((await reserve()).slots).toEqual([now])
  })

  test('that a wrong clock or somebody hostile wrote denies slots for seconds at most', async () => {
    const written = async (next: number) => {
      await write(JSON.stringify({ v: 1, keepUntil: next, next }))
      return (await reserve()).slots
    }
    // the horizon, one more slot, and 5 s by which clocks may differ
    expect(await written(now + 5000 + 100 + 5000)).toEqual([])
    expect(await written(now + 5000 + 100 + 5001)).toEqual([now])
  })

  test('with slots further ahead than any queue counts as none', async () => {
    await write(`{"v":1,"keepUntil":${now + 30_001},"next":${now + 30_001}}`)
    expect((await reserve()).slots).toEqual([now])
  })

  test('of a later release is left alone while it is of use', async () => {
    await write(`{"v":2,"keepUntil":${now + 3000}}`)
    await expect(reserve()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    await clock.advance(3000)
    expect((await reserve()).slots).toEqual([now + 3000])
  })
})
