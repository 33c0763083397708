import { expect, test } from 'vitest'
import { memoryShelf } from '../../src/shelf/memory.ts'
import { describeShelf } from '../contracts/shelves.ts'
import { virtualClock } from '../world/clock.ts'

describeShelf('in memory', async clock => {
  const shelf = memoryShelf(clock)
  return [shelf, shelf]
})

test('forgets expired records by itself, so that it is bounded by what is alive', async () => {
  const clock = virtualClock()
  const shelf = memoryShelf(clock)
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 200_000; i++) {
    await shelf.swap({ key: `k${i}`, bytes: Buffer.alloc(100), was: 'absent', expiresAt: clock.now() + 10 })
    if (i % 500 === 0) await clock.advance(10)
  }
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(60 * 1024 * 1024)
})
