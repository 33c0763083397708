import { describe, expect, test } from 'vitest'
import { foldRecords } from '../../../src/console/records/folded-records.ts'
import { groupRefusals } from '../../../src/console/records/refusal-groups.ts'
import { NOON, parsed, recordAt } from '../../audit/support.ts'

const found = (timeMs: number, fields: object = {}) => {
  const each = parsed(
    recordAt(timeMs, { principal: { issuer: 'ci', subject: 'a' }, database: 'orders', ...fields }),
  )
  return { ...each, bookmark: `1-${timeMs - NOON}` }
}

describe('foldRecords', () => {
  test('folds vends of one second that differ in nothing but the moment, and nothing else', () => {
    const records = [
      found(NOON + 1000),
      found(NOON + 999),
      found(NOON + 998, { database: 'ledger' }),
      found(NOON + 997, { principal: { issuer: 'ci', subject: 'b' } }),
      found(NOON + 996, { decision: 'refused' }),
      found(NOON + 995, { decision: 'refused', id: 'other' }),
      found(NOON),
    ]
    const { lines, next } = foldRecords(records, { maxLines: 10, isFolded: true })
    expect(lines.map(line => line.records.length)).toEqual([1, 2, 1, 1, 1, 1])
    expect(new Set(lines.map(({ key }) => key)).size).toBe(6)
    expect(next).toBeUndefined()
    expect(foldRecords(records, { maxLines: 10, isFolded: false }).lines).toHaveLength(7)
  })

  test('says where the first record is that had no line, and keeps the key of a line that grows', () => {
    const records = [found(NOON + 500), found(NOON + 400), found(NOON - 1), found(NOON - 2)]
    const { lines, next } = foldRecords(records, { maxLines: 1, isFolded: true })
    expect([lines[0]?.records.length, next]).toEqual([2, '1--1'])
    const grown = foldRecords([found(NOON + 900), ...records], { maxLines: 1, isFolded: true })
    expect(grown.lines[0]?.key).toBe(lines[0]?.key)
  })

  test('puts a refusal that was written late where its time is', () => {
    const { lines } = foldRecords([found(NOON + 1, { decision: 'refused' }), found(NOON + 9)], {
      maxLines: 10,
      isFolded: true,
    })
    expect(lines.map(({ records: [{ record }] }) => record.id)).toEqual(['r9', 'r1'])
  })
})

describe('groupRefusals', () => {
  const refused = (timeMs: number, fields: object) => found(timeMs, { decision: 'refused', ...fields })

  test('groups by code and by what the reason says before it quotes a caller', () => {
    const groups = groupRefusals([
      refused(NOON + 3, {
        code: 'access_denied',
        reason: 'nearest grant a: claim ref is x; claim y is z, wanted q',
      }),
      refused(NOON + 2, {
        code: 'access_denied',
        reason: 'nearest grant a: claim ref is missing, wanted main',
      }),
      refused(NOON + 1, { code: 'access_denied', reason: 'nearest grant b: claim ref is x, wanted main' }),
      refused(NOON, { code: 'unauthenticated', reason: 'issuer ci: the JWT expired 12 s ago' }),
      refused(NOON, { id: 'e', code: 'unauthenticated', reason: 'issuer ci: the JWT expired 7 s ago' }),
    ])
    expect(
      groups.map(({ count, nearest, reason }) => [count, nearest?.grant, nearest?.missed ?? reason]),
    ).toEqual([
      [2, 'a', 'claim ref'],
      [2, undefined, 'issuer ci: the JWT expired'],
      [1, 'b', 'claim ref'],
    ])
  })

  test('counts what a counting record counts, from its since on, and believes no impossible count', () => {
    const since = new Date(NOON - 60_000).toISOString()
    const reason = 'a flood from one source: counted, not written one by one'
    const records = [refused(NOON, { count: 40, since, reason }), refused(NOON + 1, { count: 2, reason })]
    expect(groupRefusals(records)).toMatchObject([{ count: 42, first: NOON - 60_000, last: NOON + 1 }])
    for (const count of [-5, 1e300, Number.NaN, '9', null])
      expect(groupRefusals([refused(NOON, { count, reason })])).toMatchObject([{ count: 1 }])
  })
})
