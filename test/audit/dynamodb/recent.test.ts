import { describe, expect, test } from 'vitest'
import { createRecentTable } from '../../../src/audit/dynamodb/recent.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { describeRecentRecords } from '../../contracts/recent-records.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { NOON, recordAt } from '../support.ts'
import { createClient, createSink, startOwnDynamodb, TABLE } from './support.ts'

const HOUR_MS = 3_600_000
const open = (table = TABLE) =>
  createRecentTable({ client: createClient(), table, clock: virtualClock(NOON) })

describeRecentRecords('DynamoDB', async lines => {
  await startOwnDynamodb()
  if (lines.length > 0) await createSink().append(lines)
  return open()
})

describe('createRecentTable', () => {
  test('reads a day at most, and on into the day before', async () => {
    await startOwnDynamodb()
    await createSink().append([0, -30, -31].map(hours => renderRecord(recordAt(NOON + hours * HOUR_MS))))
    const first = await open().read({}, { limit: 10 })
    expect(first.records.map(({ record }) => record.id)).toEqual(['r0'])
    expect(first.from).toBe(NOON + 60_000 - 24 * HOUR_MS)
    const second = await open().read({}, { limit: 10, before: first.next })
    expect(second.records).toHaveLength(2)
    expect(second.next).toBeDefined()
  })

  test('says what permission it lacks, or which table there is not', async () => {
    await startOwnDynamodb()
    const reading = open('other').read({}, { limit: 1 })
    await expect(reading).rejects.toThrow('cannot read the audit table other')
  })
})
