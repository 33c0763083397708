import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import { parseRecord } from './parsed-record.ts'
import type { FoundRecord, RecentRecords, Stretch } from './recent-records.ts'
import { compileRecordsQuery, queryTexts } from './records-query.ts'
import type { Sink } from './sink.ts'

const MAX_RECORDS = 20_000
/** In UTF-16 units, of which a line has about as many as bytes. */
const MAX_LENGTH = 16 * 1024 * 1024
/** How many records one stretch parses at most. */
const MAX_PARSED = 4000
/** After so many, requests have their turn. */
const YIELD_EVERY = 250
/** A bookmark is a number that no process before this one gave. */
const BOOKMARK = /^(\d{1,16})$/

interface RememberedLines {
  readonly lines: readonly string[]
  /** The number of the first of them. */
  readonly first: number
  readonly length: number
}

/** The last records that a sink has taken, in the memory of this process. */
export interface RecordMemory {
  /** Returns the sink, with what it takes from then on remembered. */
  watch(sink: Sink): Sink
  /** Returns what pages read of it; `name` says what the sink writes to. */
  recent(options: { clock: Pick<Clock, 'now'>; name: string }): RecentRecords
}

/**
 * Returns a memory of 20,000 records, or 16 MB of them. To remember a batch costs an entry in a list. Records are numbered from
 * `firstNumber` on, so that a link from before a restart leads to no other record.
 */
export function createRecordMemory(firstNumber: number): RecordMemory {
  let batches: RememberedLines[] = []
  /** How many of the batches are forgotten, and still in the list. */
  let forgotten = 0
  let [count, length] = [0, 0]
  let next = firstNumber

  function remember(lines: readonly string[]): void {
    const added = { lines, first: next, length: lines.reduce((sum, line) => sum + line.length, 0) }
    batches.push(added)
    next += lines.length
    count += lines.length
    length += added.length
    while (count > MAX_RECORDS || length > MAX_LENGTH) forgetOldest()
    if (forgotten > 1000) {
      batches = batches.slice(forgotten)
      forgotten = 0
    }
  }

  function forgetOldest(): void {
    const oldest = batches[forgotten++]
    count -= oldest?.lines.length ?? 0
    length -= oldest?.length ?? 0
  }

  function* newestFirst(before: number): Generator<{ line: string; number: number }> {
    const kept = batches.slice(forgotten)
    for (const { lines, first } of kept.reverse())
      for (let index = Math.min(lines.length, before - first) - 1; index >= 0; index--)
        yield { line: lines[index] ?? '', number: first + index }
  }
  return {
    watch: sink => ({
      ...sink,
      async append(lines) {
        await sink.append(lines)
        remember(lines)
      },
    }),
    recent: ({ clock, name }) => ({
      origin: { kind: 'memory', name },
      async read(query, { limit, before }): Promise<Stretch> {
        const matches = compileRecordsQuery(query)
        const texts = queryTexts(query)
        const records: FoundRecord[] = []
        let [parsed, unreadable] = [0, 0]
        let newest: string | undefined
        let oldest: string | undefined
        let end: string | undefined
        for (const { line, number } of newestFirst(Number(BOOKMARK.exec(before ?? '')?.[1] ?? Infinity))) {
          if (records.length >= limit || parsed >= MAX_PARSED) {
            end = `${number + 1}`
            break
          }
          newest ??= line
          oldest = line
          if (texts && !texts.some(text => line.includes(text))) continue
          parsed++
          if (parsed % YIELD_EVERY === 0) await setImmediate()
          const record = parseRecord(line)
          if (!record) unreadable++
          else if (matches(record)) records.push({ ...record, bookmark: `${number + 1}` })
        }
        return {
          records,
          readAt: clock.now(),
          from: timeIn(oldest),
          to: timeIn(newest),
          next: end,
          unreadable,
        }
      },
    }),
  }
}

function timeIn(line: string | undefined): number | undefined {
  const sortKey = line === undefined ? undefined : parseRecord(line)?.sortKey
  return sortKey === undefined ? undefined : Date.parse(sortKey.slice(0, sortKey.indexOf('#')))
}
