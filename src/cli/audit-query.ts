import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isLifecycleType, type LifecycleRecord } from '../audit/lifecycle-record.ts'
import type { ParsedRecord } from '../audit/parsed-record.ts'
import type { AuditQuery, AuditSource } from '../audit/query.ts'
import { UsageError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { countText, escapeUnprintable } from '../lib/printable.ts'
import { systemCode } from '../lib/system-error.ts'
import { tableLines } from '../lib/text-table.ts'
import { type LogChoice, openLog, type SearchedLog } from './audit-query-log.ts'
import { createSearchNotes } from './audit-query-notes.ts'
import { type AuditQueryFlags, parseAuditQuery } from './audit-query-options.ts'
import { AUDIT_COLUMNS, auditRow, FLEXIBLE_AUDIT_COLUMNS, formatAuditJson } from './audit-row.ts'
import { lifecycleRow } from './lifecycle-row.ts'
import type { TextOutput } from './streams.ts'
import { catchUsageErrors } from './usage-error.ts'

export interface AuditQueryArguments extends AuditQueryFlags, LogChoice {
  reverse?: boolean | undefined
  /** `json` or `table`; by default `table` on a terminal, else `json`. */
  output?: string | undefined
}

export interface AuditQueryStreams {
  stdout: Writable & { isTTY?: boolean; columns?: number }
  stderr: TextOutput
}

/**
 * `jeton audit query`: prints the newest records that match, newest last, or newest first with `reverse`: each as it was
 * recorded, on a line, or as a row of a table. Returns the exit code: 0, even if nothing matches, which it then says on stderr,
 * or 2 for a usage error. Throws an Error with a message for operators if a log cannot be read.
 */
export function auditQueryCommand(
  args: AuditQueryArguments,
  { stdout, stderr, clock }: AuditQueryStreams & { clock: Clock },
): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const { query, limit } = parseAuditQuery(args, clock.now())
    const format = parseFormat(args.output ?? (stdout.isTTY ? 'table' : 'json'), stdout)
    const count = { read: 0, found: 0 }
    const onRead = (records: number) => {
      count.read += records
    }
    const log = await openLog(args, { clock, ...createSearchNotes(stderr), onRead })
    try {
      const records = select(log.source, { query, limit, isReverse: args.reverse === true })
      const onFound = () => {
        count.found++
      }
      await print(format(observe(records, onFound)), stdout)
      if (count.found === 0)
        stderr.write(`${escapeUnprintable(noMatchText(query, { log, read: count.read }))}\n`)
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

/** Returns the lines to print. */
type FormatRecords = (records: AsyncIterable<ParsedRecord>) => AsyncIterable<string>

function parseFormat(output: string, { isTTY, columns }: AuditQueryStreams['stdout']): FormatRecords {
  if (output === 'json') return records => map(records, formatAuditJson)
  if (output !== 'table') throw new UsageError('-o takes json or table')
  const layout = {
    header: AUDIT_COLUMNS,
    flexible: FLEXIBLE_AUDIT_COLUMNS,
    width: (isTTY && columns) || undefined,
  }
  return records => tableLines(map(records, rowOf), layout)
}

function rowOf({ type, record }: ParsedRecord): string[] {
  return isLifecycleType(type) ? lifecycleRow(record as unknown as LifecycleRecord) : auditRow(record)
}

async function* map<A, B>(items: AsyncIterable<A>, change: (item: A) => B): AsyncGenerator<B> {
  for await (const item of items) yield change(item)
}

function observe<T>(items: AsyncIterable<T>, onItem: () => void): AsyncIterable<T> {
  return map(items, item => {
    onItem()
    return item
  })
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

async function print(lines: AsyncIterable<string>, stdout: Writable): Promise<void> {
  try {
    await pipeline(Readable.from(map(lines, line => `${line}\n`)), stdout, { end: false })
  } catch (cause) {
    // the reader, such as `head`, has read enough
    if (systemCode(cause) !== 'EPIPE') throw cause
  }
}
