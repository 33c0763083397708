import fc from 'fast-check'
import { expect, test } from 'vitest'
import { COUNT_FIELDS, createRecordCounter } from '../../src/audit/count-records.ts'
import { parseRecord } from '../../src/audit/parsed-record.ts'
import { parsed, record } from './support.ts'

const name = fc.constantFrom('a', 'b', '', '["a"]', 'null', undefined)
const some = fc
  .record({
    database: name,
    user: name,
    count: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  })
  .map(fields => parsed(record(fields)))

test('counts what a loop over all records counts, the most first', () => {
  fc.assert(
    fc.property(fc.array(some, { maxLength: 40 }), all => {
      const counter = createRecordCounter(['database', 'user'])
      const expected = new Map<string, number>()
      for (const each of all) {
        counter.add(each)
        const key = JSON.stringify([each.record.database ?? null, each.record.user ?? null])
        expected.set(key, (expected.get(key) ?? 0) + (each.record.count ?? 1))
      }
      const { counts, others, counting } = counter.result()
      expect(
        new Map(counts.map(({ values, count }) => [JSON.stringify(values.map(v => v ?? null)), count])),
      ).toEqual(expected)
      expect(counts.map(({ count }) => count)).toEqual([...expected.values()].sort((a, b) => b - a))
      expect(others).toBe(0)
      const flooded = all.filter(each => each.record.count !== undefined)
      expect(counting).toEqual({
        records: flooded.length,
        count: flooded.reduce((sum, each) => sum + (each.record.count ?? 0), 0),
      })
    }),
  )
})

test('counts exactly what it tells apart, and all else together', () => {
  const counter = createRecordCounter(['user'], 2)
  for (const user of ['a', 'b', 'c', 'a', 'd', 'b', 'a', 'c']) counter.add(parsed(record({ user })))
  expect(counter.result()).toMatchObject({
    counts: [
      { values: ['a'], count: 3 },
      { values: ['b'], count: 2 },
    ],
    others: 3,
  })
})

test('keeps little of a million different values', () => {
  const counter = createRecordCounter(['reason'])
  const base = parsed(record())
  for (let i = 0; i < 80_000; i++)
    counter.add({ ...base, record: { ...base.record, reason: `${i}${'x'.repeat(500)}` } })
  const { counts, others } = counter.result()
  expect(counts.length + others).toBe(80_000)
  expect(counts.reduce((sum, { values }) => sum + (values[0]?.length ?? 0), 0)).toBeLessThan(33 * 1024 * 1024)
})

test('reads every field of a record, and none of a damaged one', () => {
  const full = record({
    principal: { issuer: 'ci', subject: 'me' },
    grant: 'g',
    database: 'd',
    user: 'u',
    code: 'c',
    reason: 'r',
    network: '192.0.2.0/24',
    userAgent: 'curl',
    instance: 'i',
    identity: 'arn',
    cached: false,
  })
  const valuesOf = (line: string) => {
    const counter = createRecordCounter(COUNT_FIELDS)
    counter.add(parseRecord(line) ?? expect.fail('it is not a record'))
    const [count] = counter.result().counts
    return Object.fromEntries(COUNT_FIELDS.map((field, i) => [field, count?.values[i]]))
  }
  expect(valuesOf(parsed(full).line)).toEqual({
    principal: 'ci/me',
    issuer: 'ci',
    subject: 'me',
    grant: 'g',
    database: 'd',
    user: 'u',
    decision: 'vended',
    code: 'c',
    reason: 'r',
    source: '192.0.2.0/24',
    agent: 'curl',
    instance: 'i',
    identity: 'arn',
    cached: 'false',
    type: 'jeton.audit',
    day: '2026-11-23',
    hour: '2026-11-23T10:00Z',
    minute: '2026-11-23T10:00Z',
  })
  const odd = {
    type: 'jeton.audit',
    id: 'x',
    time: full.time,
    principal: 7,
    grant: {},
    count: -4,
    user: null,
  }
  expect(valuesOf(JSON.stringify(odd))).toMatchObject({
    principal: undefined,
    grant: undefined,
    user: undefined,
  })
})
