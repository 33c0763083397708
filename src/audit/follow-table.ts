import type { AuditFollower } from './follower.ts'
import type { ParsedRecord } from './parsed-record.ts'
import type { AuditQuery, AuditSource } from './query.ts'

/** Each costs a request for each of the 16 partitions of a day. */
const POLL_MS = 5000
/** How long after its time a record is still found: refusals wait for vends, and clocks differ. */
const OVERLAP_MS = 120_000

/** Follows a log that can be searched by time alone, by searching its last two minutes again and again. */
export async function tailTable(source: AuditSource, { now }: { now(): number }): Promise<AuditFollower> {
  /** The sort keys of records that were found, and of those that were there before. */
  const seen = new Set<string>()
  let polledAt = now()
  for await (const { sortKey } of source.all({ from: polledAt - OVERLAP_MS })) seen.add(sortKey)

  async function* remember(records: AsyncIterable<ParsedRecord>): AsyncGenerator<ParsedRecord> {
    for await (const record of records) {
      seen.add(record.sortKey)
      yield record
    }
  }

  function forgetBefore(ms: number): void {
    const key = new Date(ms).toISOString()
    for (const each of seen) if (each < key) seen.delete(each)
  }

  return {
    source: {
      all: query => remember(source.all(query)),
      newest: (query, limit) => remember(source.newest(query, limit)),
    },
    pollMs: POLL_MS,
    async *readNew(query: AuditQuery) {
      const earliest = Math.max(query.from ?? 0, polledAt - OVERLAP_MS)
      polledAt = now()
      forgetBefore(earliest)
      const found: ParsedRecord[] = []
      for await (const record of source.all({ ...query, from: earliest }))
        if (!seen.has(record.sortKey)) found.push(record)
      for (const { sortKey } of found) seen.add(sortKey)
      if (found.length > 0) yield found
    },
    async close() {},
  }
}
