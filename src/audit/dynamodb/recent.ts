import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Clock } from '../../lib/clock.ts'
import { DAY_MS } from '../../lib/iso-time.ts'
import { timeOf } from '../parsed-record.ts'
import type { FoundRecord, RecentRecords, Stretch } from '../recent-records.ts'
import { compileRecordsQuery, type RecordsQuery } from '../records-query.ts'
import { createDynamodbSource } from './source.ts'

/** What one stretch reads at most, about: 500 read units, as records are about 1 KB long. */
const MAX_RECORDS = 1000
/** Sixteen partitions are read side by side, so this is enough for a page. */
const PAGE_SIZE = 20
/** How far the clocks of other instances may be ahead of this one. */
const MAX_AHEAD_MS = 60_000
const TIME_LENGTH = '2026-11-23T10:00:00.000Z'.length
const MAX_BOOKMARK_LENGTH = 300

export interface RecentTableOptions {
  client: DynamoDBClient
  table: string
  clock: Clock
}

/**
 * Returns the newest records of the audit table, those of all instances: by principal through the index, else by time. A stretch
 * has a day at most. Needs `dynamodb:Query` on the table and its index, and `dynamodb:BatchGetItem` on the table.
 */
export function createRecentTable({ client, table, clock }: RecentTableOptions): RecentRecords {
  async function read(query: RecordsQuery, { limit, before }: { limit: number; before: string | undefined }) {
    const readAt = clock.now()
    const bookmark = before === undefined ? undefined : parseBookmark(before)
    const to = bookmark?.to ?? query.to ?? readAt + MAX_AHEAD_MS
    const from = Math.max(query.from ?? 0, to - DAY_MS)
    const matches = compileRecordsQuery(query)
    const records: FoundRecord[] = []
    let [looked, unreadable] = [0, 0]
    let oldest: string | undefined
    let newest: string | undefined
    const source = createDynamodbSource({
      client,
      table,
      clock,
      defaultSpanMs: DAY_MS,
      pageSize: PAGE_SIZE,
      onUnreadable: ({ lines }) => {
        unreadable += lines
      },
    })
    const result = (end: { from: number; next: string | undefined }): Stretch => ({
      records,
      readAt,
      to: newest === undefined ? Math.min(to, readAt) : timeIn(newest),
      unreadable,
      ...end,
    })
    for await (const parsed of source.newest(
      { from, to, principal: query.principal },
      Number.POSITIVE_INFINITY,
    )) {
      const { sortKey } = parsed
      if (bookmark && sortKey >= bookmark.before) continue
      if (records.length >= limit || looked >= MAX_RECORDS)
        return result({ from: timeIn(oldest ?? sortKey) ?? from, next: oldest })
      looked++
      newest ??= sortKey
      oldest = sortKey
      if (matches(parsed)) records.push({ ...parsed, bookmark: `${sortKey}~` })
    }
    const isAll = from === query.from
    return result({ from, next: isAll ? undefined : `${new Date(from).toISOString()}#` })
  }

  return {
    origin: { kind: 'table', name: table },
    read: (query, { limit, before }) => read(query, { limit, before }),
  }
}

/** Undefined if it is none, as one of a file is none. */
function parseBookmark(before: string): { before: string; to: number } | undefined {
  const time = timeIn(before)
  if (time === undefined || before.length > MAX_BOOKMARK_LENGTH) return undefined
  return { before, to: time + 1 }
}

function timeIn(sortKey: string): number | undefined {
  return timeOf({ time: sortKey.slice(0, TIME_LENGTH) })
}
