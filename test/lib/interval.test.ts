import { expect, test } from 'vitest'
import { everyMinute } from '../../src/lib/interval.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

test('everyMinute calls its work each minute, for the first time after one', async () => {
  const clock = virtualClock()
  const start = clock.now()
  const calledAt: number[] = []
  everyMinute(clock, () => calledAt.push(clock.now() - start))
  await clock.advance(59_999)
  expect(calledAt).toEqual([])
  await clock.advance(120_001)
  expect(calledAt).toEqual([60_000, 120_000, 180_000])
})

test('everyMinute stops when the function that it returned is called', async () => {
  const clock = virtualClock()
  let calls = 0
  const stop = everyMinute(clock, () => calls++)
  await clock.advance(60_000)
  stop()
  await clock.advance(600_000)
  expect(calls).toBe(1)
})
