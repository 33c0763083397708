import type { Clock } from '../../lib/clock.ts'
import { type ParsedRecord, timeOf } from '../parsed-record.ts'
import { type AuditSource, compileQuery } from '../query.ts'
import type { FollowedSearch } from './followed-search.ts'
import { followTable, tableKey } from './table-follower.ts'

/** Each look costs a request for each of the 16 partitions of a day. */
const POLL_MS = 5000
/** What is recorded with a time so long before the beginning is still found when it arrives. */
const OVERLAP_MS = 120_000
const RECORDS_AT_ONCE = 500

export interface SearchTableOptions {
  source: AuditSource
  table: string
  clock: Pick<Clock, 'now'>
}

/** Searches an audit table, and follows it. */
export async function searchAndFollowTable({
  source,
  table,
  clock,
}: SearchTableOptions): Promise<FollowedSearch> {
  const nowMs = clock.now()
  const sinceMs = nowMs - OVERLAP_MS
  const [since, until] = [sinceMs, nowMs].map(ms => new Date(ms).toISOString()) as [string, string]
  const delivered = new Set<string>()
  for await (const record of source.all({ from: sinceMs })) delivered.add(tableKey(record))
  const position = { table, since, until, delivered: [...delivered] }
  const follower = followTable({ source, clock, position })

  /** Leaves out what arrived meanwhile: it is found when it is followed. */
  async function* withoutNew(records: AsyncIterable<ParsedRecord>): AsyncGenerator<ParsedRecord> {
    for await (const record of records)
      if ((timeOf(record.record) ?? 0) < sinceMs || delivered.has(tableKey(record))) yield record
  }

  return {
    source: {
      all: query => withoutNew(source.all(query)),
      newest: (query, limit) => withoutNew(source.newest(query, limit)),
    },
    pollMs: POLL_MS,
    async *readNew(query) {
      const matches = compileQuery(query)
      for (let isAtEnd = false; !isAtEnd; ) {
        const batch = await follower.next(RECORDS_AT_ONCE)
        isAtEnd = batch.isAtEnd
        yield batch.records.filter(matches)
      }
    },
    close: () => follower.close(),
  }
}
