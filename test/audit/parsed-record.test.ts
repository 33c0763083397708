import { describe, expect, test } from 'vitest'
import { parseRecord, sortKeyOf } from '../../src/audit/parsed-record.ts'
import { GOLDEN } from './golden.ts'

describe('parseRecord', () => {
  test('returns the record, its line and its sort key', () => {
    expect(parseRecord(GOLDEN.refusedLine)).toEqual({
      sortKey: '2026-11-23T10:00:01.000Z#r2',
      line: GOLDEN.refusedLine,
      record: { type: 'jeton.audit', v: 1, ...GOLDEN.refused },
    })
  })

  test.each([
    '',
    '7',
    'null',
    '[]',
    '{"type":"jeton.audit"}',
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
