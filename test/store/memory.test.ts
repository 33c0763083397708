import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { describeStore } from '../contracts/stores.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

describeStore('in memory', async clock => {
  const store = createMemoryStore(clock)
  return [store, store]
})

test('createMemoryStore removes expired records by itself, so that memory is bounded by those that are alive', async () => {
  const clock = virtualClock()
  const store = createMemoryStore(clock)
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 200_000; i++) {
    await store.compareAndSwap({
      key: `k${i}`,
      bytes: Buffer.alloc(100),
      expectedVersion: 'absent',
      expiresAt: clock.now() + 10,
    })
    if (i % 500 === 0) await clock.advance(10)
  }
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(60 * 1024 * 1024)
})
