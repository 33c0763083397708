import { expect, test } from 'vitest'
import { createIsoMilliseconds, DAY_MS, isoDay, isoSeconds } from '../../src/lib/iso-time.ts'

test('createIsoMilliseconds formats each moment to the millisecond, in whatever order they come', () => {
  const format = createIsoMilliseconds()
  for (const text of ['2026-11-23T10:00:00.001Z', '2026-11-23T10:00:00.002Z', '2026-11-23T10:00:00.001Z']) {
    expect(format(Date.parse(text))).toBe(text)
    expect(format(Date.parse(text))).toBe(text)
  }
  expect(format(0)).toBe('1970-01-01T00:00:00.000Z')
})

test('isoSeconds rounds down to the second', () => {
  expect(isoSeconds(Date.parse('2026-11-23T10:00:00.999Z'))).toBe('2026-11-23T10:00:00Z')
  expect(isoSeconds(Date.parse('2026-11-23T10:00:00.000Z'))).toBe('2026-11-23T10:00:00Z')
})

test('isoDay returns the UTC day up to its last millisecond', () => {
  const midnight = Date.parse('2026-11-23T00:00:00.000Z')
  expect(isoDay(midnight)).toBe('2026-11-23')
  expect(isoDay(midnight + DAY_MS - 1)).toBe('2026-11-23')
  expect(isoDay(midnight + DAY_MS)).toBe('2026-11-24')
  expect(isoDay(midnight - 1)).toBe('2026-11-22')
})
