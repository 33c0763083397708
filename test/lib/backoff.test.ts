import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs, jitteredMs } from '../../src/lib/backoff.ts'

test('backoffMs doubles from the first wait up to the longest', () => {
  const waits = Array.from({ length: 7 }, (_, retries) => backoffMs(retries, { firstMs: 250, maxMs: 5000 }))
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000])
})

test('backoffMs is the longest wait after however many retries', () => {
  for (const retries of [64, 1024, 1_000_000])
    expect(backoffMs(retries, { firstMs: 25, maxMs: 800 })).toBe(800)
})

test('backoffMs is never longer than the longest wait, even the first', () => {
  expect(backoffMs(0, { firstMs: 1000, maxMs: 400 })).toBe(400)
})

test.each([
  [0, 500],
  [0.5, 750],
  [1, 1000],
])('jitteredMs with random %d is %d of a second between its half and its whole', (random, ms) => {
  expect(jitteredMs(1000, { low: 0.5, high: 1, random })).toBe(ms)
})

test('jitteredMs lies between its bounds', () => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60_000 }), unit, (ms, random) => {
      const waitMs = jitteredMs(ms, { low: 0.8, high: 1.2, random })
      expect(waitMs).toBeGreaterThanOrEqual(ms * 0.8)
      expect(waitMs).toBeLessThanOrEqual(ms * 1.2)
    }),
  )
})
