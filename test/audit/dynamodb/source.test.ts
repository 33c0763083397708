import { describe, expect, test } from 'vitest'
import { createDynamodbSource } from '../../../src/audit/dynamodb/source.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { describeAuditSource } from '../../contracts/audit-sources.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { collectIds, NOON, recordAt } from '../support.ts'
import { createClient, createSink, startOwnDynamodb, TABLE } from './support.ts'

const HOUR_MS = 3_600_000

function openSource({ now = NOON + HOUR_MS, table = TABLE } = {}) {
  const unreadable: { where: string; lines: number }[] = []
  const source = createDynamodbSource({
    client: createClient(),
    table,
    clock: virtualClock(now),
    defaultSpanMs: 24 * HOUR_MS,
    onUnreadable: each => void unreadable.push(each),
  })
  return { source, unreadable }
}

describeAuditSource('DynamoDB', async lines => {
  await startOwnDynamodb()
  await createSink().append(lines)
  return openSource().source
})

describe('createDynamodbSource', () => {
  test('reads page after page, by time and by principal', async () => {
    await startOwnDynamodb()
    const principal = { issuer: 'ci', subject: 's'.repeat(600) }
    const records = Array.from({ length: 450 }, (_, i) =>
      recordAt(NOON + i, { principal, reason: 'x'.repeat(500) }),
    )
    const sink = createSink()
    for (let start = 0; start < records.length; start += 25)
      await sink.append(records.slice(start, start + 25).map(renderRecord))
    const ids = records.map(({ id }) => id)
    const { source } = openSource()
    expect(await collectIds(source.all({}))).toEqual(ids)
    expect(await collectIds(source.all({ principal }))).toEqual(ids)
    expect(await collectIds(source.newest({ principal }, 250))).toEqual(ids.toReversed().slice(0, 250))
  })

  test('reads the last day if the query has no beginning, and nothing of the future', async () => {
    const dynamodb = await startOwnDynamodb()
    const records = [recordAt(NOON - 24 * HOUR_MS), recordAt(NOON), recordAt(NOON + 3 * HOUR_MS)]
    await createSink().append(records.map(renderRecord))
    dynamodb.calls.length = 0
    const { source } = openSource()
    expect(await collectIds(source.all({}))).toEqual(['r0'])
    expect(dynamodb.calls).toHaveLength(2 * 16)
    expect(await collectIds(source.all({ to: NOON }))).toEqual(['r-86400000'])
  })

  test('reads no further than its limit', async () => {
    const dynamodb = await startOwnDynamodb()
    await createSink().append([renderRecord(recordAt(NOON))])
    dynamodb.calls.length = 0
    const { source } = openSource()
    expect(await collectIds(source.newest({ from: NOON - 10_000 * HOUR_MS }, 1))).toEqual(['r0'])
    expect(dynamodb.calls).toHaveLength(16)
  })

  test('counts items that are not records', async () => {
    await startOwnDynamodb()
    await createSink().append(['no JSON', renderRecord(recordAt(Date.now(), { id: 'a' }))])
    const { source, unreadable } = openSource({ now: Date.now() })
    expect(await collectIds(source.all({}))).toEqual(['a'])
    expect(unreadable).toEqual([{ where: 'the table jeton-audit', lines: 1 }])
  })

  test('names the table, the error and the permissions, and no signature, if it cannot read', async () => {
    const dynamodb = await startOwnDynamodb()
    dynamodb.faults.refuse = 'AccessDeniedException'
    const error = await collectIds(openSource().source.all({})).catch(cause => cause)
    expect(error.message).toMatch(
      /^cannot read the audit table jeton-audit in us-east-1: AccessDeniedException.*dynamodb:Query/,
    )
    expect(`${error.stack} ${error.cause}`).not.toMatch(/AKIA|Signature/)
    dynamodb.faults.refuse = undefined
    await expect(collectIds(openSource({ table: 'other' }).source.all({}))).rejects.toThrow(
      'ResourceNotFoundException',
    )
  })
})
