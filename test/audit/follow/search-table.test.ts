import { expect, test } from 'vitest'
import { createDynamodbSource } from '../../../src/audit/dynamodb/source.ts'
import { searchAndFollowTable } from '../../../src/audit/follow/search-table.ts'
import { type AuditRecord, renderRecord } from '../../../src/audit/record.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { createClient, createSink, startOwnDynamodb, TABLE } from '../dynamodb/support.ts'
import { collectIds, NOON, recordAt } from '../support.ts'

async function setUp() {
  await startOwnDynamodb()
  const [sink, clock] = [createSink(), virtualClock(NOON)]
  const source = createDynamodbSource({
    client: createClient(),
    table: TABLE,
    clock,
    defaultSpanMs: 3_600_000,
    onUnreadable: () => {},
  })
  return {
    clock,
    put: (times: readonly number[], fields: Partial<AuditRecord> = {}) =>
      sink.append(times.map(each => renderRecord(recordAt(NOON + each, fields)))),
    open: () => searchAndFollowTable({ source, table: TABLE, clock }),
  }
}

test('each record of a table that is searched and followed is found once, by the search or later', async () => {
  const { clock, put, open } = await setUp()
  await put([-600_000, -1000])
  const { source, readNew } = await open()
  const newIds = async (query = {}) => {
    const ids: string[] = []
    for await (const records of readNew(query)) ids.push(...records.map(({ record }) => record.id))
    return ids
  }
  // while it is searched; one of them had to wait for its sink
  await put([-50_000, 0])
  expect(await collectIds(source.newest({}, 10))).toEqual(['r-1000', 'r-600000'])
  expect(await collectIds(source.all({}))).toEqual(['r-600000', 'r-1000'])
  expect(await newIds()).toEqual(['r-50000', 'r0'])
  await clock.advance(5000)
  expect(await newIds()).toEqual([])
  await put([4000], { decision: 'refused' })
  await put([4500])
  expect(await newIds({ decision: 'refused' })).toEqual(['r4000'])
  expect(await newIds()).toEqual([])
})
