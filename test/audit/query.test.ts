import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { orderOf, type ParsedRecord, readRecord } from '../../src/audit/parsed-record.ts'
import { type AuditQuery, matcher } from '../../src/audit/query.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { firstOf, mergeOrdered, newestFirst, newestOf, oldestFirst } from '../../src/audit/record-order.ts'
import { record } from './support.ts'

const NOON = Date.parse('2026-11-23T12:00:00Z')

const at = (ms: number, fields: Partial<AuditRecord> = {}) =>
  record({ id: `r${ms - NOON}`, time: new Date(ms).toISOString(), ...fields })

const foundOf = (fields: AuditRecord): ParsedRecord =>
  readRecord(renderRecord(fields)) ?? expect.fail('it is no record')

async function collected(sequence: AsyncIterable<ParsedRecord>): Promise<string[]> {
  const ids: string[] = []
  for await (const { record } of sequence) ids.push(record.id)
  return ids
}

async function* sequence(all: readonly ParsedRecord[]): AsyncGenerator<ParsedRecord> {
  yield* all
}

describe('what matches', () => {
  const whole = record({
    id: 'i1',
    requestId: 'q1',
    principal: { issuer: 'ci', subject: 'repo:a/b' },
    database: 'orders',
    user: 'migrator',
    code: 'x',
    grant: 'deploy',
    fingerprint: '9f86d081aa',
    sourceIp: '::1',
  })
  const found = foundOf(whole)

  test.each<[AuditQuery, AuditQuery]>([
    [
      { principal: { issuer: 'ci', subject: 'repo:a/b' } },
      { principal: { issuer: 'ci', subject: 'repo:a' } },
    ],
    [{}, { principal: { issuer: 'other', subject: 'repo:a/b' } }],
    [{ database: 'orders' }, { database: 'order' }],
    [{ user: 'migrator' }, { user: 'app' }],
    [{ decision: 'vended' }, { decision: 'refused' }],
    [{ code: 'x' }, { code: 'y' }],
    [{ grant: 'deploy' }, { grant: 'dep' }],
    [{ fingerprint: '9f86' }, { fingerprint: '86d0' }],
    [{ sourceIp: '::1' }, { sourceIp: '::' }],
    [{ id: 'i1' }, { id: 'i' }],
    [{ id: 'q1' }, { id: 'q' }],
    [{ from: Date.parse(whole.time) }, { from: Date.parse(whole.time) + 1 }],
    [{ to: Date.parse(whole.time) + 1 }, { to: Date.parse(whole.time) }],
    [
      { database: 'orders', user: 'migrator' },
      { database: 'orders', user: 'app' },
    ],
  ])('is told by %j and by %j', (yes, no) => {
    expect(matcher(yes)(found)).toBe(true)
    expect(matcher(no)(found)).toBe(false)
  })

  test('has the member that is asked for', () => {
    const bare = foundOf(record())
    expect(matcher({})(bare)).toBe(true)
    for (const query of [
      { grant: 'undefined' },
      { fingerprint: 'u' },
      { principal: { issuer: '', subject: '' } },
    ])
      expect(matcher(query)(bare), JSON.stringify(query)).toBe(false)
  })

  test('is found by a subject of any length, as it was or as the log has it', () => {
    const subject = 's'.repeat(5000)
    const long = foundOf(record({ principal: { issuer: 'ci', subject } }))
    const recorded = long.record.principal?.subject ?? ''
    expect(recorded.length).toBeLessThan(600)
    for (const asked of [subject, recorded])
      expect(matcher({ principal: { issuer: 'ci', subject: asked } })(long)).toBe(true)
    expect(matcher({ principal: { issuer: 'ci', subject: 's'.repeat(500) } })(long)).toBe(false)
  })

  test('is decided whatever a broken log has in place of a member', () => {
    const odd = {
      type: 'jeton.audit',
      id: 'x',
      time: '2026-11-23T10:00:00Z',
      principal: null,
      fingerprint: 7,
    }
    const found = readRecord(JSON.stringify(odd)) ?? expect.fail('it is no record')
    expect(matcher({ principal: { issuer: 'a', subject: 'b' } })(found)).toBe(false)
    expect(matcher({ fingerprint: '8' })(found)).toBe(false)
  })

  test.each([
    '',
    '7',
    'null',
    '[]',
    '{"type":"jeton.audit"}',
    '{"type":"other","id":"a","time":"2026-11-23T10:00:00Z"}',
  ])('is a record, which %s is not', text => expect(readRecord(text)).toBeUndefined())
  test.each(['soon', '2026-11-23', '2026-13-23T10:00:00Z', 7, null])('has a time, which %s is none', time =>
    expect(readRecord(JSON.stringify({ type: 'jeton.audit', id: 'a', time }))).toBeUndefined(),
  )
})

describe('the order', () => {
  const arbitraryFound = fc
    .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 5 }))
    .map(([ms, id]) => ({ ...foundOf(record()), order: orderOf(NOON + ms, `${id}`) }))
  const sequences = fc.array(fc.array(arbitraryFound, { maxLength: 20 }), { maxLength: 17 })

  test.each([
    ['oldest first', oldestFirst],
    ['newest first', newestFirst],
  ])('of sequences merged is that of all of them sorted, %s', async (_, comes) => {
    await fc.assert(
      fc.asyncProperty(sequences, async parts => {
        const sorted = parts.map(part => part.toSorted(comes))
        const orders: string[] = []
        for await (const { order } of mergeOrdered(sorted.map(sequence), comes)) orders.push(order)
        expect(orders).toEqual(
          parts
            .flat()
            .sort(comes)
            .map(({ order }) => order),
        )
      }),
      { numRuns: 50 },
    )
  })

  test('of the newest is that of all of them sorted and cut, in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryFound, { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        async (all, limit) => {
          const newest = await newestOf(sequence(all), limit)
          expect(newest.map(({ order }) => order)).toEqual(
            all
              .toSorted(newestFirst)
              .slice(0, limit)
              .map(({ order }) => order),
          )
        },
      ),
      { numRuns: 100 },
    )
  })

  test('is not asked for beyond what is wanted, and every sequence is let go', async () => {
    let asked = 0
    let ended = 0
    async function* endless(first: number): AsyncGenerator<ParsedRecord> {
      try {
        for (let ms = first; ; ms++) {
          asked++
          yield foundOf(at(NOON + ms))
        }
      } finally {
        ended++
      }
    }
    expect(await collected(firstOf(mergeOrdered([endless(0), endless(100)], oldestFirst), 3))).toEqual([
      'r0',
      'r1',
      'r2',
    ])
    expect(asked).toBe(4)
    expect(ended).toBe(2)
  })

  test('is given up where one sequence fails, and the others are let go', async () => {
    let isEnded = false
    async function* fine() {
      try {
        yield foundOf(at(NOON))
      } finally {
        isEnded = true
      }
    }
    async function* failing(): AsyncGenerator<ParsedRecord> {
      yield foundOf(at(NOON + 1))
      throw new Error('it broke')
    }
    await expect(collected(mergeOrdered([fine(), failing()], oldestFirst))).rejects.toThrow('it broke')
    expect(isEnded).toBe(true)
  })
})
