import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createFileSource } from '../audit/file/source.ts'
import { isLifecycleType, type LifecycleRecord } from '../audit/lifecycle-record.ts'
import type { ParsedRecord } from '../audit/parsed-record.ts'
import type { AuditQuery, AuditSource, OnUnreadable } from '../audit/query.ts'
import { loadStaticConfig } from '../config/load.ts'
import { UsageError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { DAY_MS } from '../lib/iso-time.ts'
import { escapeUnprintable } from '../lib/printable.ts'
import { systemCode } from '../lib/system-error.ts'
import { type AuditQueryFlags, parseAuditQuery } from './audit-query-options.ts'
import { formatAuditJson, formatAuditRow } from './audit-row.ts'
import { formatLifecycleRow } from './lifecycle-row.ts'
import type { TextOutput } from './streams.ts'
import { catchUsageErrors } from './usage-error.ts'

export interface AuditQueryArguments extends AuditQueryFlags {
  /** Files of a sink of type `file`; without any, the command reads the table that the configuration names. */
  files: readonly string[]
  configPath: string
  reverse?: boolean | undefined
  /** `json` or `table`; by default `table` on a terminal, else `json`. */
  output?: string | undefined
}

export interface AuditQueryStreams {
  stdout: Writable & { isTTY?: boolean }
  stderr: TextOutput
}

/**
 * `jeton audit query`: prints the newest records that match, newest last, or newest first with `reverse`: each as it was
 * recorded, on a line, or as a row of a table. Returns the exit code: 0, even if nothing matches, or 2 for a usage error.
 * Throws an Error with a message for operators if a log cannot be read.
 */
export function auditQueryCommand(
  args: AuditQueryArguments,
  { stdout, stderr, clock }: AuditQueryStreams & { clock: Clock },
): Promise<number> {
  return catchUsageErrors(stderr, async () => {
    const { query, limit } = parseAuditQuery(args, clock.now())
    const format = parseFormat(args.output ?? (stdout.isTTY ? 'table' : 'json'))
    const onUnreadable: OnUnreadable = ({ where, lines }) => {
      const skipped = lines === 1 ? '1 line that is not a record' : `${lines} lines that are not records`
      stderr.write(`${escapeUnprintable(`note: ${where}: skipped ${skipped}`)}\n`)
    }
    const { source, close } = await openSource(args, { clock, onUnreadable })
    try {
      const records = select(source, { query, limit, isReverse: args.reverse === true })
      await print(records, { stdout, format })
      return 0
    } finally {
      close()
    }
  })
}

type FormatRecord = (record: ParsedRecord) => string

function parseFormat(output: string): FormatRecord {
  if (output === 'json') return formatAuditJson
  if (output === 'table')
    return ({ type, record }) =>
      isLifecycleType(type)
        ? formatLifecycleRow(record as unknown as LifecycleRecord)
        : formatAuditRow(record)
  throw new UsageError('-o takes json or table')
}

interface OpenSource {
  source: AuditSource
  close(): void
}

async function openSource(
  { files, configPath }: AuditQueryArguments,
  { clock, onUnreadable }: { clock: Clock; onUnreadable: OnUnreadable },
): Promise<OpenSource> {
  if (files.length > 0) return { source: createFileSource({ paths: files, onUnreadable }), close: () => {} }
  const { audit } = await loadStaticConfig(configPath)
  const sink = audit.find(each => each.type === 'dynamodb')
  if (!sink)
    throw new UsageError(
      `${configPath} has no audit sink of type dynamodb: name audit files, or another configuration with --config`,
    )
  const { table, region } = sink
  const [{ createDynamodbClient }, { createDynamodbSource }] = await Promise.all([
    import('../aws/dynamodb.ts'),
    import('../audit/dynamodb/source.ts'),
  ])
  const client = createDynamodbClient({ clock, region })
  const source = createDynamodbSource({ client, table, clock, defaultSpanMs: DAY_MS, onUnreadable })
  return { source, close: () => client.destroy() }
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

async function print(
  records: AsyncIterable<ParsedRecord>,
  { stdout, format }: { stdout: Writable; format: FormatRecord },
): Promise<void> {
  async function* lines() {
    for await (const record of records) yield `${format(record)}\n`
  }
  try {
    await pipeline(Readable.from(lines()), stdout, { end: false })
  } catch (cause) {
    // the reader, such as `head`, has read enough
    if (systemCode(cause) !== 'EPIPE') throw cause
  }
}
