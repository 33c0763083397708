import type { Writable } from 'node:stream'
import { createRecordCounter } from '../audit/count-records.ts'
import type { ParsedRecord } from '../audit/parsed-record.ts'
import type { AuditQuery, AuditSource } from '../audit/query.ts'
import { UsageError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { countText } from '../lib/count-text.ts'
import { createLinePrinter } from '../lib/line-printer.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import { countLines, countNotes, parseCountFields } from './audit-count.ts'
import { type AuditFormat, createAuditFormat, parseFormat } from './audit-format.ts'
import { type LogChoice, openLog, type SearchedLog } from './audit-query-log.ts'
import { createSearchNotes } from './audit-query-notes.ts'
import { type AuditQueryFlags, parseAuditQuery } from './audit-query-options.ts'
import type { TextOutput } from './streams.ts'
import { catchUsageErrors } from './usage-error.ts'

export interface AuditQueryArguments extends AuditQueryFlags, LogChoice {
  reverse?: boolean | undefined
  /** Fields to count by, perhaps several in one text with commas between them. */
  countBy?: readonly string[] | undefined
  /** Whether to go on and print what is recorded from then on. */
  follow?: boolean | undefined
  /** A format of `AUDIT_FORMATS`; by default `table` on a terminal, else `json`. */
  output?: string | undefined
}

export interface AuditQueryStreams {
  stdout: Writable & { isTTY?: boolean; columns?: number }
  stderr: TextOutput
  /** Ends `follow`. */
  signal?: AbortSignal | undefined
}

/** As many are formatted at once: a table's columns are as wide as these need. */
const RECORDS_AT_ONCE = 500

/**
 * `jeton audit query`: prints the newest records that match, newest last, or newest first with `reverse`: each as it was
 * recorded, on a line, or in another format; or with `countBy` how many there are by their values. Returns the exit code: 0, even
 * if nothing matches, which it then says on stderr, or 2 for a usage error. Throws an Error with a message for operators if a log
 * cannot be read.
 */
export function auditQueryCommand(
  args: AuditQueryArguments,
  { stdout, stderr, clock, signal }: AuditQueryStreams & { clock: Clock },
): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const { query, limit } = parseAuditQuery(args, clock.now())
    const format = parseFormat(args.output ?? (stdout.isTTY ? 'table' : 'json'))
    const fields = parseCountFields(args.countBy ?? [])
    if (fields.length > 0 && args.reverse) throw new UsageError('--reverse does not go with --count-by')
    if (args.follow && (fields.length > 0 || args.reverse || args.to !== undefined))
      throw new UsageError('--follow does not go with --count-by, --reverse or --to')
    const width = (stdout.isTTY && stdout.columns) || undefined
    const search = { read: 0, found: 0 }
    const onRead = (records: number) => {
      search.read += records
    }
    const log = await openLog(args, { clock, ...createSearchNotes(stderr), onRead })
    const printer = createLinePrinter(stdout)

    /** Returns false if nobody reads on. */
    async function printRecords(source: AuditSource, linesOf: AuditFormat): Promise<boolean> {
      const records = select(source, { query, limit, isReverse: args.reverse === true })
      for await (const some of batchesOf(records)) {
        search.found += some.length
        if (!(await printer.print(linesOf(some)))) return false
      }
      return printer.flush()
    }

    async function followRecords(linesOf: AuditFormat): Promise<void> {
      const follower = await log.follow()
      try {
        if (!(await printRecords(follower.source, linesOf))) return
        while (!signal?.aborted) {
          for await (const some of follower.readNew(query)) {
            if (signal?.aborted || !(await printer.print(linesOf(some)))) break
          }
          if (!(await printer.flush())) return
          await clock.sleep(follower.pollMs, signal).catch(() => {})
        }
      } finally {
        await follower.close()
      }
    }

    async function printCounts(): Promise<void> {
      const counter = createRecordCounter(fields)
      for await (const record of log.source.all(query)) {
        search.found++
        counter.add(record)
      }
      const counts = counter.result()
      await printer.print(await countLines(counts, { fields, format, limit, width }))
      for (const note of countNotes(counts, limit)) stderr.write(`note: ${escapeUnprintable(note)}\n`)
    }

    try {
      if (fields.length > 0) await printCounts()
      else {
        const linesOf = await createAuditFormat(format, width)
        await (args.follow ? followRecords(linesOf) : printRecords(log.source, linesOf))
      }
      await printer.flush()
      if (search.found === 0 && !args.follow)
        stderr.write(`${escapeUnprintable(noMatchText(query, { log, read: search.read }))}\n`)
      return 0
    } finally {
      log.close()
    }
  })
}

function noMatchText(query: AuditQuery, { log, read }: { log: SearchedLog; read: number }): string {
  const start = log.startOf(query)
  const from = start === undefined ? 'the beginning' : new Date(start).toISOString()
  const to = query.to === undefined ? 'now' : new Date(query.to).toISOString()
  return `no record matches from ${from} to ${to}; read ${countText(read, 'record')} of ${log.name}${log.rest}`
}

async function* batchesOf(records: AsyncIterable<ParsedRecord>): AsyncGenerator<ParsedRecord[]> {
  let batch: ParsedRecord[] = []
  for await (const record of records) {
    batch.push(record)
    if (batch.length < RECORDS_AT_ONCE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

interface Selection {
  query: AuditQuery
  limit: number
  isReverse: boolean
}

async function* select(
  source: AuditSource,
  { query, limit, isReverse }: Selection,
): AsyncGenerator<ParsedRecord> {
  if (isReverse) return yield* source.newest(query, limit)
  if (limit === Number.POSITIVE_INFINITY) return yield* source.all(query)
  const newestFirst: ParsedRecord[] = []
  for await (const record of source.newest(query, limit)) newestFirst.push(record)
  yield* newestFirst.reverse()
}
