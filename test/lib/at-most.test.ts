import { expect, test } from 'vitest'
import { atMost } from '../../src/lib/at-most.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

test('work that is done is waited for, and its failure told', async () => {
  const clock = virtualClock()
  await atMost(1000, Promise.resolve(), clock)
  await expect(atMost(1000, Promise.reject(new Error('no')), clock)).rejects.toThrow('no')
})

test('work that hangs is waited for so long, and no longer', async () => {
  const clock = virtualClock()
  let isOver = false
  const over = atMost(1000, new Promise(() => {}), clock).then(() => {
    isOver = true
  })
  await clock.advance(999)
  expect(isOver).toBe(false)
  await clock.advance(1)
  await over
})
