import {
  BatchGetItemCommand,
  type DynamoDBClient,
  paginateQuery,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb'
import { describeFailedCall } from '../../aws/errors.ts'
import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { DAY_MS } from '../../lib/iso-time.ts'
import { type ParsedRecord, parseRecord } from '../parsed-record.ts'
import {
  type AuditQuery,
  type AuditSource,
  asRecorded,
  compileQuery,
  type OnRead,
  type OnUnreadable,
  type PrincipalName,
} from '../query.ts'
import { firstOf, mergeOrdered, newestFirst, oldestFirst, type RecordOrder } from '../record-order.ts'
import { type AuditItem, BY_PRINCIPAL, partitionsOf, principalKey } from './item.ts'

const PARTITION_PAGE_SIZE = 200
/** The limit of one BatchGetItem. */
const MAX_KEYS = 100
const BACKOFF = { firstMs: 50, maxMs: 2000 }
/** How far the clocks of writers may be ahead of this one. */
const MAX_AHEAD_MS = 60_000

export interface DynamodbSourceOptions {
  client: DynamoDBClient
  table: string
  clock: Clock
  /** How long before its end a query without a beginning starts: each day costs 16 requests, even without a record. */
  defaultSpanMs: number
  /** How many items of each partition are read, and in memory, at once; default 200. */
  pageSize?: number
  onUnreadable: OnUnreadable
  onRead?: OnRead
}

/** A span of time in milliseconds, `to` not included, and the order in which to read it. */
interface Span {
  readonly from: number
  readonly to: number
  readonly order: RecordOrder
}

/**
 * Creates a source that reads the audit table: by time, day after day from all partitions of each (consistently: an
 * acknowledged record is found); by principal, through the index, which lags a moment behind. Keeps a page of each
 * partition in memory. Its errors name the table, its region and AWS's error code, never AWS's message.
 */
export function createDynamodbSource(options: DynamodbSourceOptions): AuditSource {
  const {
    client,
    table,
    clock,
    defaultSpanMs,
    pageSize = PARTITION_PAGE_SIZE,
    onUnreadable,
    onRead,
  } = options
  let unreadable = 0

  function parseItems(items: readonly AuditItem[]): ParsedRecord[] {
    const parsed = items.map(item => parseRecord(item.record?.S ?? ''))
    const records = parsed.filter(record => record !== undefined)
    unreadable += items.length - records.length
    onRead?.(records.length)
    return records
  }

  async function* queryPages(
    input: Omit<QueryCommandInput, 'TableName'>,
    pageSize: number,
  ): AsyncGenerator<AuditItem[]> {
    for await (const { Items = [] } of paginateQuery({ client, pageSize }, { TableName: table, ...input }))
      yield Items
  }

  async function* readPartition(pk: string, span: Span): AsyncGenerator<ParsedRecord> {
    const input = { ConsistentRead: true, ...keyCondition('pk', { value: pk, span }) }
    for await (const items of queryPages(input, pageSize)) yield* parseItems(items)
  }

  async function* readByTime(span: Span): AsyncGenerator<ParsedRecord> {
    for (const day of daysOf(span)) {
      const partitions = partitionsOf(day).map(pk => readPartition(pk, span))
      yield* mergeOrdered(partitions, span.order)
    }
  }

  async function* readByPrincipal(principal: PrincipalName, span: Span): AsyncGenerator<ParsedRecord> {
    const value = principalKey(asRecorded(principal))
    const input = { IndexName: BY_PRINCIPAL, ...keyCondition('principal', { value, span }) }
    for await (const entries of queryPages(input, MAX_KEYS))
      yield* parseItems(await getItems(entries)).sort(span.order)
  }

  async function getItems(indexEntries: readonly AuditItem[]): Promise<AuditItem[]> {
    const items: AuditItem[] = []
    let Keys = indexEntries.map(({ principal, ...key }) => key)
    for (let retries = 0; Keys.length > 0; retries++) {
      const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } })
      const { Responses = {}, UnprocessedKeys = {} } = await client.send(command)
      items.push(...Object.values(Responses).flat())
      Keys = Object.values(UnprocessedKeys).flatMap(unprocessed => unprocessed.Keys ?? [])
      if (Keys.length > 0) await clock.sleep(backoffMs(retries, BACKOFF))
    }
    return items
  }

  async function* read(query: AuditQuery, order: RecordOrder): AsyncGenerator<ParsedRecord> {
    const now = clock.now()
    const { to = now + MAX_AHEAD_MS, from = (query.to ?? now) - defaultSpanMs, principal } = query
    if (from >= to) return
    const span = { from, to, order }
    const matches = compileQuery({ ...query, from, to })
    try {
      for await (const parsed of principal ? readByPrincipal(principal, span) : readByTime(span))
        if (matches(parsed)) yield parsed
    } catch (cause) {
      const summary = `cannot read the audit table ${table}`
      throw new Error(await describeFailedCall(cause, { client, summary, remedies: REMEDIES }))
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

/** Only for errors that do not pass by themselves. */
const REMEDIES = new Map([
  [
    'AccessDeniedException',
    'reading needs dynamodb:Query on the table and its index byPrincipal, and dynamodb:BatchGetItem on the table',
  ],
  ['ResourceNotFoundException', 'there is no such table in that region: correct its name or region'],
])

function keyCondition(name: 'pk' | 'principal', { value, span }: { value: string; span: Span }) {
  return {
    KeyConditionExpression: '#name = :value AND sk BETWEEN :from AND :to',
    ExpressionAttributeNames: { '#name': name },
    ExpressionAttributeValues: {
      ':value': { S: value },
      ':from': { S: new Date(span.from).toISOString() },
      // BETWEEN includes its end, but a sort key is longer than its time, so no record of that time is included
      ':to': { S: new Date(span.to).toISOString() },
    },
    ScanIndexForward: span.order === oldestFirst,
  }
}

/** Yields the beginning of each UTC day that the span touches, in its order. */
function* daysOf({ from, to, order }: Span): Generator<number> {
  const [first, last] = [Math.floor(from / DAY_MS), Math.ceil(to / DAY_MS) - 1]
  for (let day = first; day <= last; day++)
    yield DAY_MS * (order === oldestFirst ? day : last - (day - first))
}
