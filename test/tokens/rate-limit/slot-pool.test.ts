import { beforeEach, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/store/memory.ts'
import { createSlotPool, type SlotPool } from '../../../src/tokens/rate-limit/slot-pool.ts'
import { type VirtualClock, virtualClock } from '../../support/clock/virtual-clock.ts'
import { type CountingStore, claimsOf, countingStore, slowStore } from './support.ts'

/** The space between two slots at 10.4 a second. */
const SPACING_MS = 100
const PER_SECOND = 1040 / SPACING_MS

let clock: VirtualClock
let store: CountingStore
let pool: SlotPool
let start: number

beforeEach(() => {
  clock = virtualClock()
  store = countingStore(createMemoryStore(clock))
  pool = startPool()
  start = clock.now()
})

function startPool(on = store): SlotPool {
  const started = createSlotPool({ store: on, clock, resource: 'r', horizonMs: 20_000 })
  started.setRate(PER_SECOND)
  return started
}

function fill(count: number, { of = pool, withinMs = 5000 } = {}) {
  return of.fill({ claims: claimsOf(count), notBefore: clock.now(), notAfter: clock.now() + withinMs })
}

/** Takes all slots out of the pool, as ms from the start. */
function takeAll(of = pool): number[] {
  const slots: number[] = []
  for (let next = of.next(); next; next = of.next()) {
    slots.push(next.slot - start)
    of.takeNext()
  }
  return slots
}

test('setRate spreads the slots of a second over 1040 ms, so that late deliveries do not exceed the rate', () => {
  pool.setRate(16)
  expect(pool.spacingMs).toBe(65)
})

describe('fill', () => {
  test('reserves slots soonest first, and another instance gets those after them', async () => {
    await fill(3)
    expect(pool.size).toBe(3)
    expect(takeAll()).toEqual([0, 100, 200])
    const other = startPool()
    await fill(2, { of: other })
    expect(takeAll(other)).toEqual([300, 400])
  })

  test('adds to the slots of the pool', async () => {
    await fill(1)
    await fill(2)
    expect(takeAll()).toEqual([0, 100, 200])
  })

  test('reserves none that come too late, and learns when the next is free', async () => {
    await fill(5, { of: startPool() })
    await fill(1, { withinMs: 450 })
    expect(pool.size).toBe(0)
    expect(pool.expectedSlot(0)).toBe(start + 500)
  })

  test('rejects as the store does, and leaves the pool as it was', async () => {
    await fill(1)
    const gone = new Error('gone')
    store.read = () => Promise.reject(gone)
    await expect(fill(1)).rejects.toBe(gone)
    expect(takeAll()).toEqual([0])
  })

  test('learns how long a write takes, and reserves no slot that is over by then', async () => {
    const slow = startPool(countingStore(slowStore(store, { clock, readMs: 0, swapMs: 120 })))
    for (const expected of [0, 1120]) {
      const filled = fill(1, { of: slow })
      await clock.advance(500)
      await filled
      expect(takeAll(slow)).toEqual([expected])
      await clock.advance(500)
    }
  })
})

describe('expectedSlot', () => {
  test('is a slot of the pool, or as far behind the last as there are callers before', async () => {
    await fill(2)
    expect([0, 1, 2, 3].map(rank => pool.expectedSlot(rank) - start)).toEqual([0, 100, 200, 300])
  })

  test('is now for the first caller when nothing is known', () => {
    expect([0, 1].map(rank => pool.expectedSlot(rank) - start)).toEqual([0, 100])
  })

  test('is never in the past', async () => {
    await fill(1)
    takeAll()
    await clock.advance(1000)
    expect(pool.expectedSlot(0)).toBe(start + 1000)
  })

  test('costs no call to the store', async () => {
    await fill(1)
    pool.expectedSlot(7)
    expect(store.calls).toEqual({ read: 1, swap: 1 })
  })
})

describe('next', () => {
  test('is undefined for an empty pool', () => {
    expect(pool.next()).toBeUndefined()
  })

  test('returns a slot at its time while deliveries take no longer than 10 ms', async () => {
    for (let i = 0; i < 50; i++) pool.reportDeliveryDelay(10)
    await fill(1)
    expect(pool.next()).toEqual({ slot: start, from: start })
  })

  test('returns a slot as much earlier as deliveries lately took beyond 10 ms', async () => {
    pool.reportDeliveryDelay(100)
    await fill(1)
    expect(pool.next()).toEqual({ slot: start, from: start - 10 })
    for (let i = 0; i < 100; i++) pool.reportDeliveryDelay(100)
    expect(pool.next()?.from).toBeCloseTo(start - 90, 3)
  })

  test('counts a delivery that hung as one second', async () => {
    pool.reportDeliveryDelay(60_000)
    await fill(1)
    expect(pool.next()?.from).toBe(start - 190)
  })
})

describe('preparationMs', () => {
  test('is a moving average in which the latest counts a fifth', () => {
    expect(pool.preparationMs).toBe(0)
    pool.reportPreparation(500)
    expect(pool.preparationMs).toBe(100)
    pool.reportPreparation(500)
    expect(pool.preparationMs).toBe(180)
  })

  test.each([
    [60_000, 200],
    [-60_000, 0],
  ])('counts %i ms, from a clock that was corrected or a hung STS, within 0 to 1000', (tookMs, averageMs) => {
    pool.reportPreparation(tookMs)
    expect(pool.preparationMs).toBe(averageMs)
  })
})

describe('dropMissed', () => {
  test('keeps a slot for 40 ms, and drops it after', async () => {
    await fill(2)
    await clock.advance(40)
    pool.dropMissed()
    expect(pool.size).toBe(2)
    await clock.advance(1)
    pool.dropMissed()
    expect(takeAll()).toEqual([100])
  })

  test('drops slots that a wrong clock put minutes ahead, and forgets when it said the next is free', async () => {
    await pool.fill({ claims: claimsOf(2), notBefore: start + 60_000, notAfter: start + 70_000 })
    pool.dropMissed()
    expect(pool.size).toBe(0)
    expect(pool.expectedSlot(0)).toBe(start)
  })

  test('returns slots that passed unused to the fleet', async () => {
    pool.setRate(1.04)
    await fill(3)
    await clock.advance(2041)
    pool.dropMissed()
    await fill(1)
    // without them the next would be the one at 3000 ms
    expect(takeAll()).toEqual([2041])
  })

  test('returns the slots after the last one that was used', async () => {
    pool.setRate(0.104)
    await fill(2, { withinMs: 20_000 })
    pool.takeNext()
    await clock.advance(10_041)
    pool.dropMissed()
    await fill(1, { withinMs: 20_000 })
    expect(takeAll()).toEqual([10_041])
  })

  test('returns nothing to the fleet when the last slot was used', async () => {
    pool.setRate(0.104)
    await fill(1)
    pool.takeNext()
    await clock.advance(41)
    pool.dropMissed()
    await fill(1, { withinMs: 20_000 })
    expect(takeAll()).toEqual([10_000])
  })

  test('returns unused slots also after a fill that found none near enough', async () => {
    pool.setRate(0.104)
    await fill(1)
    await clock.advance(41)
    pool.dropMissed()
    await pool.fill({ claims: claimsOf(1), notBefore: start + 200, notAfter: start + 100 })
    await fill(1, { withinMs: 20_000 })
    expect(takeAll()).toEqual([41])
  })

  test('returns nothing to the fleet when another instance has reserved since', async () => {
    pool.setRate(1.04)
    await fill(1)
    const other = startPool()
    other.setRate(1.04)
    await fill(1, { of: other })
    await clock.advance(41)
    pool.dropMissed()
    await fill(1)
    expect(takeAll()).toEqual([2000])
  })
})

describe('readFleet', () => {
  test('finds what another instance has reserved', async () => {
    expect(pool.fleet).toBeUndefined()
    await fill(2, { of: startPool() })
    await clock.advance(50)
    await pool.readFleet()
    expect(pool.fleet).toMatchObject({ readAt: start + 50, use: { next: start + 200 } })
    await fill(1)
    expect(takeAll()).toEqual([200])
  })

  test('changes nothing if slots were reserved while its answer was on the way', async () => {
    const { read } = store
    store.read = async key => {
      store.read = read
      const record = await read(key)
      await clock.sleep(30)
      return record
    }
    const reading = pool.readFleet()
    await fill(2)
    await clock.advance(30)
    await reading
    expect(pool.fleet).toMatchObject({ readAt: start, use: { next: start + 200 } })
    expect(pool.fleet?.use.held).toHaveLength(2)
  })
})
