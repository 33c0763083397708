import { expect, test } from 'vitest'
import { createDynamodbSource } from '../../../src/audit/dynamodb/source.ts'
import type { TablePosition } from '../../../src/audit/follow/follower.ts'
import { followTable, MAX_LATENESS_MS } from '../../../src/audit/follow/table-follower.ts'
import { renderRecord } from '../../../src/audit/record.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { createClient, createSink, startOwnDynamodb, TABLE } from '../dynamodb/support.ts'
import { NOON, recordAt } from '../support.ts'

const MINUTE_MS = 60_000
const position = (timeMs: number): TablePosition => {
  const time = new Date(timeMs).toISOString()
  return { table: TABLE, since: time, until: time, delivered: [] }
}

async function setUp(start = position(NOON)) {
  const dynamodb = await startOwnDynamodb()
  const [client, sink, clock] = [createClient(), createSink(), virtualClock(NOON)]
  const source = createDynamodbSource({
    client,
    table: TABLE,
    clock,
    defaultSpanMs: 0,
    onUnreadable: () => {},
  })
  /** Puts records of these times, in ms after noon; one by one, for each append has to end in time. */
  async function put(...times: number[]) {
    for (const each of times) await sink.append([renderRecord(recordAt(NOON + each))])
  }
  function follow(from: TablePosition) {
    const follower = followTable({ source, clock, position: from })
    let last = from
    return {
      follower,
      position: () => last,
      async ids(limit = 100) {
        const batch = await follower.next(limit)
        // as a cursor has it
        last = JSON.parse(JSON.stringify(batch.positionAfter(batch.records.length)))
        return batch.records.map(({ record }) => record.id)
      },
    }
  }
  return { dynamodb, clock, put, follow, ...follow(start) }
}

test('a table is followed by time; what arrives late is delivered late, and nothing twice', async () => {
  const { clock, put, ids } = await setUp()
  await put(-1, 1000, 2000)
  await clock.advance(3000)
  expect(await ids()).toEqual(['r1000', 'r2000'])
  expect(await ids()).toEqual([])
  // of an instance whose clock is behind, and of one whose clock is ahead
  await put(500, 30_000)
  expect(await ids()).toEqual(['r500', 'r30000'])
  await clock.advance(40_000)
  await put(40_000)
  expect(await ids()).toEqual(['r40000'])
  expect(await ids()).toEqual([])
})

test('a record is found whose instance could not write it for a quarter of an hour', async () => {
  const { clock, put, ids } = await setUp()
  const lookEachMinute = async (minutes: number) => {
    const found: string[] = []
    for (let minute = 0; minute < minutes; minute++) {
      await clock.advance(MINUTE_MS)
      found.push(...(await ids()))
    }
    return found
  }
  expect(await lookEachMinute(MAX_LATENESS_MS / MINUTE_MS)).toEqual([])
  await put(1)
  expect(await lookEachMinute(5)).toEqual(['r1'])
})

test('a clock that was ahead for an hour and is put back hides no record, and repeats none for ever', async () => {
  const { clock, put, ids, position: positionNow, follow } = await setUp()
  await put(1000)
  await clock.advance(60 * MINUTE_MS)
  expect(await ids()).toEqual(['r1000'])
  expect(await ids()).toEqual([])
  const ahead = positionNow()
  await clock.advance(-55 * MINUTE_MS)
  await put(2 * MINUTE_MS)
  // what was sent before may come once more: it was forgotten as if it were an hour old
  expect(await follow(ahead).ids()).toContain('r120000')
  expect(await ids()).toContain('r120000')
  expect(await ids()).toEqual([])
  await put(5 * MINUTE_MS)
  await clock.advance(1000)
  expect(await ids()).toEqual(['r300000'])
})

test('looks read little, but for one in five minutes', async () => {
  const { dynamodb, clock, put, ids } = await setUp()
  await put(1000)
  await clock.advance(10 * MINUTE_MS)
  await ids()
  dynamodb.calls.length = 0
  await clock.advance(5000)
  expect(await ids()).toEqual([])
  expect(dynamodb.calls).toHaveLength(16)
})

test('a restart delivers what was not acknowledged, in the middle of a batch and of a backlog', async () => {
  const { clock, put, follow, follower, ids, position: positionNow } = await setUp()
  const times = Array.from({ length: 10 }, (_, index) => index * 10 * MINUTE_MS)
  const all = times.map(each => `r${each}`)
  await put(...times)
  await clock.advance(100 * MINUTE_MS)
  const batch = await follower.next(4)
  expect(batch.records.map(({ record }) => record.id)).toEqual(all.slice(0, 4))
  for (const count of [0, 1, 3, 4])
    expect(await follow(batch.positionAfter(count)).ids()).toEqual(all.slice(count))
  expect(await ids(3)).toEqual(all.slice(4, 7))
  expect(await follow(positionNow()).ids()).toEqual(all.slice(7))
  expect(await ids()).toEqual(all.slice(7))
  const rest = follow(positionNow())
  await put(95 * MINUTE_MS)
  expect(await rest.ids()).toEqual([`r${95 * MINUTE_MS}`])
  const part = await follow(position(NOON)).follower.next(100)
  expect(await follow(part.positionAfter(2)).ids()).toEqual([...all.slice(2), `r${95 * MINUTE_MS}`])
})

test('a backlog takes no more memory than what late records need, and is not sent again', async () => {
  const { clock, put, ids, position: positionNow, follow } = await setUp()
  for (let hour = 0; hour < 3; hour++)
    await put(...Array.from({ length: 20 }, (_, index) => (hour * 60 + index) * MINUTE_MS))
  await clock.advance(4 * 60 * MINUTE_MS)
  const sizes: number[] = []
  for (let part = 0; part < 12; part++) {
    expect(await ids(5)).toHaveLength(5)
    sizes.push(positionNow().delivered.length)
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(21)
  expect(await follow(positionNow()).ids()).toEqual([])
  expect(await ids()).toEqual([])
})
