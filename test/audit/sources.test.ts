import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createDynamodbSink } from '../../src/audit/dynamodb/sink.ts'
import { createDynamodbSource } from '../../src/audit/dynamodb/source.ts'
import { append, LONGEST_LINE_BYTES, renderRecovered } from '../../src/audit/file/hash-chain.ts'
import { createFileSource } from '../../src/audit/file/source.ts'
import type { ParsedRecord } from '../../src/audit/parsed-record.ts'
import type { AuditSource } from '../../src/audit/query.ts'
import { type AuditRecord, renderRecord } from '../../src/audit/record.ts'
import { createDynamodbClient } from '../../src/aws/dynamodb.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type Dynamodb, startDynamodb } from '../support/aws/dynamodb.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'
import { folder, record } from './support.ts'

const NOON = Date.parse('2026-11-23T12:00:00Z')
const HOUR_MS = 3_600_000

const at = (ms: number, fields: Partial<AuditRecord> = {}) =>
  record({ id: `r${ms - NOON}`, time: new Date(ms).toISOString(), ...fields })

async function collected(sequence: AsyncIterable<ParsedRecord>): Promise<string[]> {
  const ids: string[] = []
  for await (const { record } of sequence) ids.push(record.id)
  return ids
}

/** A log with these records, and how to read it. */
interface LogWorld {
  source: AuditSource
  unreadable: { where: string; lines: number }[]
}

async function inFiles(records: readonly AuditRecord[]): Promise<LogWorld> {
  const place = await folder()
  const paths = ['a', 'b'].map(name => join(place, name))
  for (const [i, path] of paths.entries()) {
    const own = records.filter((_, n) => n % 2 === i).map(each => `${renderRecord(each)}\n`)
    await writeFile(path, own.join(''))
  }
  const unreadable: LogWorld['unreadable'] = []
  return { source: createFileSource({ paths, onUnreadable: each => void unreadable.push(each) }), unreadable }
}

async function started(): Promise<Dynamodb> {
  const dynamodb = await startDynamodb()
  for (const [name, value] of Object.entries(dynamodb.environment())) vi.stubEnv(name, value)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await dynamodb.close()
  })
  return dynamodb
}

function sourceOn({
  now = NOON + HOUR_MS,
  table = 'jeton-audit',
} = {}): LogWorld & { write(lines: string[]): Promise<void> } {
  const client = createDynamodbClient({ clock: systemClock() })
  onTestFinished(() => client.destroy())
  const unreadable: LogWorld['unreadable'] = []
  const source = createDynamodbSource({
    client,
    table,
    clock: virtualClock(now),
    defaultSpanMs: 24 * HOUR_MS,
    onUnreadable: each => void unreadable.push(each),
  })
  const sink = createDynamodbSink({ client, table, clock: systemClock() })
  return { source, unreadable, write: lines => sink.append(lines) }
}

async function inDynamodb(records: readonly AuditRecord[]): Promise<LogWorld> {
  await started()
  const world = sourceOn()
  await world.write(records.map(renderRecord))
  return world
}

describe.each([
  ['files', inFiles],
  ['DynamoDB', inDynamodb],
])('records in %s', (_, open) => {
  const ofThreeDays = [-30, -13, -12.5, -12, -6, -1, 0, 0.5].map(hours =>
    at(NOON + hours * HOUR_MS, {
      principal: { issuer: 'ci', subject: hours < -6 ? 'early' : 'late' },
      database: hours === -1 ? 'ledger' : 'orders',
    }),
  )
  const ids = ofThreeDays.map(({ id }) => id)
  const everything = { from: NOON - 48 * HOUR_MS }

  test('are found by time, over the ends of days, either way round', async () => {
    const { source } = await open(ofThreeDays)
    expect(await collected(source.all(everything))).toEqual(ids)
    expect(await collected(source.newest(everything, 100))).toEqual(ids.toReversed())
    expect(await collected(source.newest(everything, 3))).toEqual(ids.toReversed().slice(0, 3))
    const within = { from: NOON - 12.5 * HOUR_MS, to: NOON - HOUR_MS }
    expect(await collected(source.all(within))).toEqual(ids.slice(2, 5))
    expect(await collected(source.all({ from: NOON, to: NOON }))).toEqual([])
    expect(await collected(source.all({ from: NOON, to: NOON + 1 }))).toEqual(['r0'])
  })

  test('are found by principal, and by principal and time and more', async () => {
    const { source } = await open(ofThreeDays)
    const late = { ...everything, principal: { issuer: 'ci', subject: 'late' } }
    expect(await collected(source.all(late))).toEqual(ids.slice(4))
    expect(await collected(source.newest(late, 2))).toEqual(ids.toReversed().slice(0, 2))
    expect(await collected(source.all({ ...late, to: NOON }))).toEqual(ids.slice(4, 6))
    expect(await collected(source.all({ ...late, database: 'ledger' }))).toEqual(ids.slice(5, 6))
    expect(await collected(source.all({ ...late, principal: { issuer: 'ci', subject: 'lat' } }))).toEqual([])
  })

  test('are given as they were recorded', async () => {
    const { source } = await open(ofThreeDays.slice(0, 1))
    for await (const { line } of source.all(everything))
      expect(line).toBe(renderRecord(at(NOON - 30 * HOUR_MS, ofThreeDays[0])))
    expect.assertions(1)
  })
})

describe('records in DynamoDB', () => {
  test('are read page by page, by time and by principal', async () => {
    await started()
    const { source, write } = sourceOn()
    const principal = { issuer: 'ci', subject: 's'.repeat(600) }
    const records = Array.from({ length: 450 }, (_, i) =>
      at(NOON + i, { principal, reason: 'x'.repeat(500) }),
    )
    await write(records.map(renderRecord))
    const ids = records.map(({ id }) => id)
    expect(await collected(source.all({}))).toEqual(ids)
    expect(await collected(source.all({ principal }))).toEqual(ids)
    expect(await collected(source.newest({ principal }, 250))).toEqual(ids.toReversed().slice(0, 250))
  })

  test('of the last day are read where nothing says from when, of none to come', async () => {
    const dynamodb = await started()
    const { source, write } = sourceOn()
    await write([at(NOON - 24 * HOUR_MS), at(NOON), at(NOON + 3 * HOUR_MS)].map(renderRecord))
    dynamodb.calls.length = 0
    expect(await collected(source.all({}))).toEqual(['r0'])
    expect(dynamodb.calls).toHaveLength(2 * 16)
    expect(await collected(source.all({ to: NOON }))).toEqual(['r-86400000'])
  })

  test('are asked for no further than is wanted', async () => {
    const dynamodb = await started()
    const { source, write } = sourceOn()
    await write([renderRecord(at(NOON))])
    dynamodb.calls.length = 0
    expect(await collected(source.newest({ from: NOON - 10_000 * HOUR_MS }, 1))).toEqual(['r0'])
    expect(dynamodb.calls).toHaveLength(16)
  })

  test('that are none are counted', async () => {
    await started()
    const { source, write, unreadable } = sourceOn({ now: Date.now() })
    await write(['no JSON', renderRecord(at(Date.now(), { id: 'a' }))])
    expect(await collected(source.all({}))).toEqual(['a'])
    expect(unreadable).toEqual([{ where: 'the table jeton-audit', lines: 1 }])
  })

  test('that cannot be read are told by name, with what it takes and without a signature', async () => {
    const dynamodb = await started()
    dynamodb.faults.refuse = 'AccessDeniedException'
    const error = await collected(sourceOn().source.all({})).catch(cause => cause)
    expect(error.message).toMatch(/the audit table jeton-audit .*AccessDeniedException.*dynamodb:Query/)
    expect(`${error.stack} ${error.cause}`).not.toMatch(/AKIA|Signature/)
    dynamodb.faults.refuse = undefined
    await expect(collected(sourceOn({ table: 'other' }).source.all({}))).rejects.toThrow(
      'ResourceNotFoundException',
    )
  })
})

describe('records in files', () => {
  async function fileOf(text: string | Buffer): Promise<string> {
    const path = join(await folder(), 'audit.jsonl')
    await writeFile(path, text)
    return path
  }

  function reading(...paths: string[]): LogWorld {
    const unreadable: LogWorld['unreadable'] = []
    return {
      source: createFileSource({ paths, onUnreadable: each => void unreadable.push(each) }),
      unreadable,
    }
  }

  test('of every age are read where nothing says from when', async () => {
    const path = await fileOf(`${renderRecord(at(0, { id: 'old' }))}\n`)
    expect(await collected(reading(path).source.all({}))).toEqual(['old'])
  })

  test('are read around what a crash tore, which is counted, and what names it, which is not', async () => {
    const torn = renderRecord(at(NOON)).slice(0, 40)
    const named = append(renderRecovered({ bytes: 40, sha256: 'x' }, record().time), 'f'.repeat(64)).line
    const path = await fileOf(
      [renderRecord(at(NOON, { id: 'a' })), torn, named, renderRecord(at(NOON, { id: 'b' })), '{'].join('\n'),
    )
    const { source, unreadable } = reading(path)
    expect(await collected(source.newest({}, 10))).toEqual(['b', 'a'])
    expect(unreadable).toEqual([{ where: path, lines: 2 }])
  })

  test('are merged from files in whatever order they are named', async () => {
    const [first, second] = [
      await fileOf([at(NOON), at(NOON + 1)].map(renderRecord).join('\n')),
      await fileOf([at(NOON + 2), at(NOON + 3)].map(renderRecord).join('\n')),
    ]
    for (const paths of [
      [first, second],
      [second, first],
    ])
      expect(await collected(reading(...paths).source.all({}))).toEqual(['r0', 'r1', 'r2', 'r3'])
  })

  test('the newest are found, though a refusal stands after later vends', async () => {
    const path = await fileOf([at(NOON + 5), at(NOON + 9), at(NOON + 2)].map(renderRecord).join('\n'))
    expect(await collected(reading(path).source.newest({}, 2))).toEqual(['r9', 'r5'])
    expect(await collected(reading(path).source.all({ to: NOON + 5 }))).toEqual(['r2'])
  })

  test('of a file that cannot be read, or is no log, fail by its name', async () => {
    const place = await folder()
    const missing = join(place, 'none')
    await expect(collected(reading(missing).source.all({}))).rejects.toThrow(
      `${missing}: cannot be read: ENOENT`,
    )
    await expect(collected(reading(place).source.all({}))).rejects.toThrow(`${place}: cannot be read: EISDIR`)
    const path = await fileOf(`${renderRecord(at(NOON))}\n`)
    await appendFile(path, Buffer.alloc(LONGEST_LINE_BYTES + 1, 'x'))
    await expect(collected(reading(path).source.all({}))).rejects.toThrow(
      `${path}, after line 1: cannot be read`,
    )
  })
})
