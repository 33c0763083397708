import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ParsedRecord, sortKeyOf } from '../../src/audit/parsed-record.ts'
import {
  createNewest,
  firstOf,
  mergeOrdered,
  newestFirst,
  oldestFirst,
} from '../../src/audit/record-order.ts'
import { collectIds, NOON, parsed, record, recordAt } from './support.ts'

async function* sequence(all: readonly ParsedRecord[]): AsyncGenerator<ParsedRecord> {
  yield* all
}

const sortKeysOf = (records: readonly ParsedRecord[]) => records.map(({ sortKey }) => sortKey)

const arbitraryRecord = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 5 }))
  .map(([ms, id]) => ({ ...parsed(record()), sortKey: sortKeyOf(NOON + ms, `${id}`) }))

test.each([
  ['oldest first', oldestFirst],
  ['newest first', newestFirst],
])('mergeOrdered sorts as one sort of all records would, %s', async (_, order) => {
  const sequences = fc.array(fc.array(arbitraryRecord, { maxLength: 20 }), { maxLength: 17 })
  await fc.assert(
    fc.asyncProperty(sequences, async parts => {
      const merged: ParsedRecord[] = []
      const sorted = parts.map(part => part.toSorted(order))
      for await (const each of mergeOrdered(sorted.map(sequence), order)) merged.push(each)
      expect(sortKeysOf(merged)).toEqual(sortKeysOf(parts.flat().sort(order)))
    }),
    { numRuns: 50 },
  )
})

test('mergeOrdered fails as one of its sequences does, and ends the others', async () => {
  let isEnded = false
  async function* fine() {
    try {
      yield parsed(recordAt(NOON))
    } finally {
      isEnded = true
    }
  }
  async function* failing(): AsyncGenerator<ParsedRecord> {
    yield parsed(recordAt(NOON + 1))
    throw new Error('it broke')
  }
  await expect(collectIds(mergeOrdered([fine(), failing()], oldestFirst))).rejects.toThrow('it broke')
  expect(isEnded).toBe(true)
})

test('createNewest collects what a sort of all records, cut, would return, and knows which need not be added', () => {
  fc.assert(
    fc.property(
      fc.array(arbitraryRecord, { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (all, limit) => {
        const newest = createNewest(limit)
        for (const each of all) if (each.sortKey >= newest.earliestKey()) newest.add(each)
        expect(sortKeysOf(newest.all())).toEqual(sortKeysOf(all.toSorted(newestFirst).slice(0, limit)))
      },
    ),
    { numRuns: 100 },
  )
})

test('firstOf reads no further than its limit, and ends every sequence', async () => {
  let reads = 0
  let ended = 0
  async function* endless(first: number): AsyncGenerator<ParsedRecord> {
    try {
      for (let ms = first; ; ms++) {
        reads++
        yield parsed(recordAt(NOON + ms))
      }
    } finally {
      ended++
    }
  }
  const merged = mergeOrdered([endless(0), endless(100)], oldestFirst)
  expect(await collectIds(firstOf(merged, 3))).toEqual(['r0', 'r1', 'r2'])
  expect(reads).toBe(4)
  expect(ended).toBe(2)
})
