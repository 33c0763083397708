import { expect, test } from 'vitest'
import { createQuota } from '../../src/lib/quota.ts'

const START = 1_000_000
const create = () => createQuota({ burst: 3, everyMs: 10_000 })

test('allows a burst, and then one for each interval', () => {
  const quota = create()
  expect([1, 2, 3, 4].map(() => quota.take(START))).toEqual([true, true, true, false])
  expect(quota.waitMs(START)).toBe(10_000)
  expect(quota.take(START + 9_999)).toBe(false)
  expect(quota.waitMs(START + 9_999)).toBe(1)
  expect(quota.take(START + 10_000)).toBe(true)
  expect(quota.take(START + 10_000)).toBe(false)
})

test('never saves up more than the burst', () => {
  const quota = create()
  quota.take(START)
  const later = START + 24 * 3_600_000
  expect([1, 2, 3, 4].map(() => quota.take(later))).toEqual([true, true, true, false])
})

test('bounds what is taken in any minute, however often it is tried', () => {
  const quota = create()
  let taken = 0
  for (let ms = 0; ms < 60_000; ms += 10) if (quota.take(START + ms)) taken++
  expect(taken).toBe(3 + 5)
})

test('gives back what was taken for nothing', () => {
  const quota = create()
  for (let i = 0; i < 3; i++) quota.take(START)
  quota.giveBack()
  expect([quota.take(START), quota.take(START)]).toEqual([true, false])
})

test('waits no longer than one interval after the clock was put back', () => {
  const quota = create()
  for (let i = 0; i < 3; i++) quota.take(START)
  expect(quota.waitMs(START - 3_600_000)).toBe(10_000)
  expect(quota.take(START - 3_600_000 + 10_000)).toBe(true)
})
