import { describe, expect, test } from 'vitest'
import { LIFECYCLE_TYPES } from '../../src/audit/lifecycle-record.ts'
import { parseRecord, sortKeyOf } from '../../src/audit/parsed-record.ts'
import { GOLDEN } from './golden.ts'

describe('parseRecord', () => {
  test('returns the record, its line and its sort key', () => {
    expect(parseRecord(GOLDEN.refusedLine)).toEqual({
      sortKey: '2026-11-23T10:00:01.000Z#r2',
      line: GOLDEN.refusedLine,
      type: 'jeton.audit',
      record: { type: 'jeton.audit', v: 1, ...GOLDEN.refused },
    })
  })

  test.each(LIFECYCLE_TYPES)('returns a lifecycle record of type %s', type => {
    const line = JSON.stringify({ type, v: 1, id: 'a', time: '2026-11-23T10:00:00.000Z' })
    expect(parseRecord(line)).toMatchObject({ type, line, sortKey: '2026-11-23T10:00:00.000Z#a' })
  })

  test.each([
    '',
    '7',
    'null',
    '[]',
    '{"type":"jeton.audit"}',
    '{"type":"jeton.audit.recovered","time":"2026-11-23T10:00:00Z"}',
    '{"type":"jeton.audit.other","id":"a","time":"2026-11-23T10:00:00Z"}',
    '{"type":"other","id":"a","time":"2026-11-23T10:00:00Z"}',
  ])('returns undefined for %s, which is not a record', text => expect(parseRecord(text)).toBeUndefined())

  test.each(['soon', '2026-11-23', '2026-13-23T10:00:00Z', 7, null])(
    'returns undefined if the time is %s',
    time => expect(parseRecord(JSON.stringify({ type: 'jeton.audit', id: 'a', time }))).toBeUndefined(),
  )
})

test('sortKeyOf sorts by time first and then by id', () => {
  const keys = [sortKeyOf(1000, 'z'), sortKeyOf(1001, 'a'), sortKeyOf(1001, 'b'), sortKeyOf(60_000, 'a')]
  expect([...keys].sort()).toEqual(keys)
})
