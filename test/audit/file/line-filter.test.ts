import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { append, GENESIS } from '../../../src/audit/file/hash-chain.ts'
import { compileLineFilter } from '../../../src/audit/file/line-filter.ts'
import { createFileSource } from '../../../src/audit/file/source.ts'
import { parseRecord } from '../../../src/audit/parsed-record.ts'
import { type AuditQuery, compileQuery } from '../../../src/audit/query.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { newestFirst, oldestFirst } from '../../../src/audit/record-order.ts'
import { folder, NOON, record, recordAt } from '../support.ts'

const NAMES = ['a', 'b', 'ab', 'ä', 'a"b', 'a\\b', 'a/b', 'time', 'jeton.audit', '\u0000', 'x#a']
const name = fc.constantFrom(...NAMES)
const ms = fc.integer({ min: NOON - 40, max: NOON + 40 })
const TYPES = ['jeton.audit', 'jeton.audit.started', 'jeton.audit.stopped'] as const

const members = fc.record(
  {
    id: fc.oneof(name, fc.uuid()),
    requestId: name,
    decision: name,
    code: name,
    database: name,
    user: name,
    grant: name,
    fingerprint: fc.oneof(name, fc.constant(7)),
    identity: fc.oneof(name, fc.constantFrom('arn:aws:sts::1:assumed-role/r/a', 'x/a', 'x:b')),
    principal: fc.oneof(fc.record({ issuer: name, subject: name }), fc.constant(null)),
    reason: fc.string(),
    sourceIp: fc.constantFrom('192.0.2.1', '::1', 'a'),
  },
  { requiredKeys: ['id'] },
)

/** As JSON may be written by jeton and by others. */
const line = fc
  .tuple(
    members,
    ms,
    fc.constantFrom(...TYPES),
    fc.constantFrom('jeton', 'spaced', 'escaped', 'twice', 'odd', 'torn'),
  )
  .map(([{ id, ...rest }, timeMs, type, writer]) => {
    const time = new Date(timeMs).toISOString()
    const text = JSON.stringify({ type, v: 1, id, time, ...rest })
    switch (writer) {
      case 'spaced':
        return text.replaceAll('":', '" : ')
      case 'escaped':
        return text.replaceAll('"a"', '"\\u0061"').replaceAll('/', '\\/')
      case 'twice':
        return `${text.slice(0, -1)},"time":"${new Date(NOON).toISOString()}","user":"b"}`
      case 'odd':
        return JSON.stringify({ id, type, time: `${time.slice(0, -5)}Z`, ...rest })
      case 'torn':
        return text.slice(0, Math.floor(text.length * 0.6))
      default:
        return text
    }
  })

const conditions: fc.Arbitrary<AuditQuery> = fc.record({
  from: ms,
  to: ms,
  principal: fc.record({ issuer: name, subject: name }),
  database: name,
  user: name,
  decision: name,
  code: name,
  grant: name,
  fingerprint: fc.constantFrom('a', '7', 'ab'),
  sourceIp: fc.constantFrom('192.0.2.1', '::/0'),
  types: fc.subarray([...TYPES]),
  id: name,
  identity: name,
})
const CONDITIONS: readonly (keyof AuditQuery)[] = [
  'from',
  'to',
  'principal',
  'database',
  'user',
  'decision',
  'code',
  'grant',
  'fingerprint',
  'sourceIp',
  'types',
  'id',
  'identity',
]
/** Few conditions: hardly a line would meet many. */
const query: fc.Arbitrary<AuditQuery> = fc
  .tuple(conditions, fc.subarray([...CONDITIONS], { maxLength: 2 }))
  .map(([all, names]) => Object.fromEntries(names.map(each => [each, all[each]])))

/** The lines that match, found by parsing every one. */
function matching(lines: readonly string[], wanted: AuditQuery) {
  const matches = compileQuery(wanted)
  return lines.map(parseRecord).filter(each => each !== undefined && matches(each)) as NonNullable<
    ReturnType<typeof parseRecord>
  >[]
}

describe('the filter by bytes', () => {
  test('never skips a line that matches, whoever wrote it', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), query, (lines, wanted) => {
        const block = Buffer.from(lines.join('\n'))
        const seen: string[] = []
        compileLineFilter(wanted)(block, {
          onLine: (start, end) => void seen.push(block.toString('utf8', start, end)),
          onSkipped: () => {},
        })
        const found = matching(seen, wanted).map(each => each.line)
        expect(found).toEqual(matching(lines, wanted).map(each => each.line))
      }),
      { numRuns: 1000 },
    )
  })

  test('makes no difference to what a source finds, plain or compressed, all or the newest, in whatever order the lines are', async () => {
    const [plain, compressed] = [join(await folder(), 'a'), join(await folder(), 'b')]
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        query,
        fc.integer({ min: 1, max: 5 }),
        async (lines, wanted, limit) => {
          const half = Math.floor(lines.length / 2)
          await writeFile(plain, lines.slice(0, half).join('\n'))
          await writeFile(compressed, gzipSync(lines.slice(half).join('\n')))
          const source = createFileSource({ paths: [plain, compressed], onUnreadable: () => {} })
          const expected = matching(lines, wanted).sort(newestFirst)
          const keys = async (records: AsyncIterable<{ sortKey: string }>) => {
            const all: string[] = []
            for await (const { sortKey } of records) all.push(sortKey)
            return all
          }
          expect((await keys(source.all(wanted))).sort()).toEqual(expected.map(each => each.sortKey).sort())
          expect(await keys(source.newest(wanted, limit))).toEqual(
            expected.slice(0, limit).map(each => each.sortKey),
          )
        },
      ),
      { numRuns: 40 },
    )
  })

  test('skips what jeton writes, if it does not match, and looks at all else', () => {
    const uuid = '0b9c7f52-6a1d-4e0f-9d3b-2f4a1c5e8d70'
    const chained = append(renderRecord(record({ id: uuid, user: 'app', database: 'orders' })), GENESIS).line
    const skipped = (text: string, wanted: AuditQuery, earliest = '') => {
      let count = 0
      compileLineFilter(wanted)(Buffer.from(text), {
        onLine: () => {},
        onSkipped: () => void count++,
        earliest: () => earliest,
      })
      return count
    }
    expect(skipped(`${chained}\n${chained}`, { user: 'ap' })).toBe(2)
    expect(skipped(chained, { user: 'app' })).toBe(0)
    expect(skipped(chained, { user: 'app', database: 'ledger' })).toBe(1)
    expect(skipped(chained, { identity: 'x' })).toBe(1)
    expect(skipped(chained, { types: ['jeton.audit.started'] })).toBe(1)
    expect(skipped(chained, { from: NOON })).toBe(1)
    expect(skipped(chained, { to: NOON })).toBe(0)
    expect(skipped(chained, {}, '2026-11-23T10:00:00.001Z')).toBe(1)
    expect(skipped(chained, {}, '2026-11-23T10:00:00.000Z')).toBe(0)
    for (const other of [` ${chained}`, chained.slice(0, -1), '{"type":"jeton.audit.recovered","v":1}', '{}'])
      expect(skipped(other, { user: 'nobody' }), other).toBe(0)
  })
})

test('files that follow each other are merged, one open at a time, and those that overlap are too', async () => {
  const dir = await folder()
  const times = [
    [0, 1, 2],
    [3, 4, 9],
    [5, 6, 7],
    [10, 11],
  ]
  const paths = await Promise.all(
    times.map(async (of, i) => {
      const path = join(dir, `${i}`)
      await writeFile(path, of.map(each => renderRecord(recordAt(NOON + each))).join('\n'))
      return path
    }),
  )
  const found = []
  for await (const each of createFileSource({ paths: paths.reverse(), onUnreadable: () => {} }).all({}))
    found.push(each)
  expect(found.map(each => each.record.id)).toEqual(found.toSorted(oldestFirst).map(each => each.record.id))
  expect(found).toHaveLength(11)
})
