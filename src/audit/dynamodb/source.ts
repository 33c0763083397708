import {
  BatchGetItemCommand,
  type DynamoDBClient,
  paginateQuery,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { Clock } from '../../lib/clock.ts'
import { type ParsedRecord, readRecord } from '../parsed-record.ts'
import { type AuditQuery, type AuditSource, matcher, type OnUnreadable } from '../query.ts'
import { firstOf, mergeOrdered, newestFirst, oldestFirst, type RecordOrder } from '../record-order.ts'
import {
  type AuditItem,
  asRecorded,
  BY_PRINCIPAL,
  type PrincipalName,
  partitionsOf,
  principalKey,
} from './item.ts'
import { describeTableError } from './table-error.ts'

/** Of each partition so many items are held at once. */
const PAGE = 200
/** What one BatchGetItem takes. */
const BATCH = 100
const DAY_MS = 86_400_000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2000
/** The clocks of those who write may be ahead of ours. */
const AHEAD_MS = 60_000

export interface DynamodbSourceOptions {
  client: DynamoDBClient
  table: string
  clock: Clock
  /** Where a query has no beginning, so long before its end: a day costs 16 requests even where it has no records. */
  defaultSpanMs: number
  onUnreadable: OnUnreadable
}

/** From when on and until when (not including it), in milliseconds, and in which order. */
interface Span {
  readonly from: number
  readonly to: number
  readonly comes: RecordOrder
}

/**
 * Reads the audit table: by time, day after day through the partitions of each (consistently: a record that was
 * acknowledged is found); by principal, through the index, which lags behind by a moment. Holds a page of each partition.
 * Throws an Error that names the table and AWS's error, never with its message.
 */
export function createDynamodbSource(options: DynamodbSourceOptions): AuditSource {
  const { client, table, clock, defaultSpanMs, onUnreadable } = options
  let unreadable = 0

  function recordsIn(items: readonly AuditItem[]): ParsedRecord[] {
    const read = items.map(item => readRecord(item.record?.S ?? ''))
    const records = read.filter(found => found !== undefined)
    unreadable += items.length - records.length
    return records
  }

  async function* pages(
    input: Omit<QueryCommandInput, 'TableName'>,
    pageSize: number,
  ): AsyncGenerator<AuditItem[]> {
    for await (const { Items = [] } of paginateQuery({ client, pageSize }, { TableName: table, ...input }))
      yield Items
  }

  async function* ofPartition(pk: string, span: Span): AsyncGenerator<ParsedRecord> {
    const input = { ConsistentRead: true, ...keyCondition('pk', { value: pk, span }) }
    for await (const items of pages(input, PAGE)) yield* recordsIn(items)
  }

  async function* byTime(span: Span): AsyncGenerator<ParsedRecord> {
    for (const day of daysOf(span)) {
      const partitions = partitionsOf(day).map(pk => ofPartition(pk, span))
      yield* mergeOrdered(partitions, span.comes)
    }
  }

  async function* byPrincipal(principal: PrincipalName, span: Span): AsyncGenerator<ParsedRecord> {
    const value = principalKey(asRecorded(principal))
    const input = { IndexName: BY_PRINCIPAL, ...keyCondition('principal', { value, span }) }
    for await (const keys of pages(input, BATCH)) yield* recordsIn(await itemsOf(keys)).sort(span.comes)
  }

  async function itemsOf(found: readonly AuditItem[]): Promise<AuditItem[]> {
    const items: AuditItem[] = []
    let Keys = found.map(({ principal, ...key }) => key)
    for (let pauseMs = FIRST_PAUSE_MS; Keys.length > 0; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } })
      const { Responses = {}, UnprocessedKeys = {} } = await client.send(command)
      items.push(...Object.values(Responses).flat())
      Keys = Object.values(UnprocessedKeys).flatMap(left => left.Keys ?? [])
      if (Keys.length > 0) await clock.sleepUntil(clock.now() + pauseMs)
    }
    return items
  }

  async function* read(query: AuditQuery, comes: RecordOrder): AsyncGenerator<ParsedRecord> {
    const now = clock.now()
    const { to = now + AHEAD_MS, from = (query.to ?? now) - defaultSpanMs, principal } = query
    if (from >= to) return
    const span = { from, to, comes }
    const matches = matcher({ ...query, from, to })
    try {
      for await (const found of principal ? byPrincipal(principal, span) : byTime(span))
        if (matches(found)) yield found
    } catch (cause) {
      const what = await describeTableError(cause, client)
      throw new Error(`the audit table ${table} cannot be read: ${what}; ${TAKES}`)
    } finally {
      if (unreadable > 0) onUnreadable({ where: `the table ${table}`, lines: unreadable })
      unreadable = 0
    }
  }

  return {
    all: query => read(query, oldestFirst),
    newest: (query, limit) => firstOf(read(query, newestFirst), limit),
  }
}

const TAKES = 'it takes dynamodb:Query on the table and its index byPrincipal, and dynamodb:BatchGetItem'

function keyCondition(name: 'pk' | 'principal', { value, span }: { value: string; span: Span }) {
  return {
    KeyConditionExpression: '#name = :value AND sk BETWEEN :from AND :to',
    ExpressionAttributeNames: { '#name': name },
    ExpressionAttributeValues: {
      ':value': { S: value },
      ':from': { S: new Date(span.from).toISOString() },
      // A sort key goes on after its time: none of this very moment lies between.
      ':to': { S: new Date(span.to).toISOString() },
    },
    ScanIndexForward: span.comes === oldestFirst,
  }
}

/** The beginning of each UTC day that the span touches. */
function* daysOf({ from, to, comes }: Span): Generator<number> {
  const [first, last] = [Math.floor(from / DAY_MS), Math.ceil(to / DAY_MS) - 1]
  for (let day = first; day <= last; day++)
    yield DAY_MS * (comes === oldestFirst ? day : last - (day - first))
}
