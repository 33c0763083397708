import { expect, test } from 'vitest'
import {
  createIsoMilliseconds,
  DAY_MS,
  isoDay,
  isoSeconds,
  isoTime,
  parseRfc3339,
} from '../../src/lib/iso-time.ts'

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

test('isoTime has milliseconds only if there are any', () => {
  expect(isoTime(Date.parse('2026-11-23T10:00:00.120Z'))).toBe('2026-11-23T10:00:00.120Z')
  expect(isoTime(Date.parse('2026-11-23T10:00:00.000Z'))).toBe('2026-11-23T10:00:00Z')
  expect(isoTime(Number.NaN)).toBe('never')
})

test.each([
  ['2026-12-31T18:00:00Z', '2026-12-31T18:00:00.000Z'],
  ['2026-12-31t18:00:00z', '2026-12-31T18:00:00.000Z'],
  ['2026-12-31T18:00:00+01:00', '2026-12-31T17:00:00.000Z'],
  ['2026-12-31T23:59:59.9999999-12:30', '2027-01-01T12:29:59.999Z'],
  ['2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
])('parseRfc3339 reads %s', (text, iso) => {
  expect(new Date(parseRfc3339(text) ?? Number.NaN).toISOString()).toBe(iso)
})

test.each([
  ['no zone', '2026-12-31T18:00:00'],
  ['a day', '2026-12-31'],
  ['no T', '2026-12-31 18:00:00Z'],
  ['no seconds', '2026-12-31T18:00Z'],
  ['no such day', '2026-02-29T18:00:00Z'],
  ['no such month', '2026-13-01T18:00:00Z'],
  ['no such hour', '2026-12-31T24:00:00Z'],
  ['a leap second', '2026-12-31T23:59:60Z'],
  ['no such offset', '2026-12-31T18:00:00+24:00'],
  ['an offset without a colon', '2026-12-31T18:00:00+0100'],
  ['more behind it', '2026-12-31T18:00:00Z\n'],
  ['a name of a zone', '2026-12-31T18:00:00 CET'],
  ['nothing', ''],
])('parseRfc3339 refuses %s', (_, text) => {
  expect(parseRfc3339(text)).toBeUndefined()
})
