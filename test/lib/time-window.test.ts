import { expect, test } from 'vitest'
import { remainingMs } from '../../src/lib/time-window.ts'

test.each([
  ['at its beginning is all of it', 1000, 500],
  ['is what is left', 1200, 300],
  ['is a moment before its end', 1499, 1],
  ['is 0 at its end', 1500, 0],
  ['is 0 after it', 9999, 0],
  ['is 0 when the clock was put back to before it', 999, 0],
])('remainingMs of a window %s', (_what, now, leftMs) => {
  expect(remainingMs({ since: 1000, forMs: 500 }, now)).toBe(leftMs)
})

test('remainingMs of what never began is 0', () => {
  expect(remainingMs({ since: Number.NEGATIVE_INFINITY, forMs: 30_000 }, 1000)).toBe(0)
})
