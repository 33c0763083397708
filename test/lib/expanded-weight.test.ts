import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expandedWeight, isTooLargeFor } from '../../src/lib/expanded-weight.ts'

/** The same by recursion, without regard to what is shared. */
function plainWeight(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 10 + (typeof value === 'string' ? value.length : 0)
  return Object.entries(value).reduce((sum, [key, member]) => sum + key.length + plainWeight(member), 10)
}

test('a value weighs the same as if it were walked whole', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      expect(expandedWeight(value)).toBe(plainWeight(value))
    }),
  )
})

test('what is shared weighs as often as it is used, and is walked once', () => {
  let shared: unknown = 'laugh'
  for (let level = 0; level < 90; level++) shared = [shared, shared]
  expect(expandedWeight(shared)).toBeGreaterThan(2 ** 90)
  expect(isTooLargeFor(2000, shared)).toBe(true)
})

test('a text that many parts share counts for each', () => {
  const text = 'x'.repeat(90_000)
  expect(isTooLargeFor(94_000, Array(20).fill(text))).toBe(false)
  expect(isTooLargeFor(94_000, Array(3000).fill(text))).toBe(true)
})

test('a text without aliases is never too large', () => {
  const shortest = `[${'1,'.repeat(400_000)}1]`
  expect(isTooLargeFor(shortest.length, JSON.parse(shortest))).toBe(false)
})

test('no depth overflows the stack', () => {
  let deep: unknown = 1
  for (let level = 0; level < 50_000; level++) deep = [deep]
  expect(expandedWeight(deep)).toBe(50_000 * 11 + 10)
})
