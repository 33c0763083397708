import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createFileSource } from '../audit/file/source.ts'
import type { ParsedRecord } from '../audit/parsed-record.ts'
import type { AuditQuery, AuditSource, OnUnreadable } from '../audit/query.ts'
import { loadStaticConfig } from '../config/load.ts'
import type { Clock } from '../lib/clock.ts'
import { type AuditQueryFlags, queryOf } from './audit-query-options.ts'
import { rowOf } from './audit-row.ts'
import type { Output } from './check.ts'
import { catchUsageErrors, UsageError } from './usage-error.ts'

export interface AuditQueryArguments extends AuditQueryFlags {
  /** Logs of type file; without any, the table that the configuration names is read. */
  files: readonly string[]
  configPath: string
  reverse?: boolean | undefined
  /** `json` or `table`; by default a table on a terminal. */
  output?: string | undefined
}

export interface AuditQueryStreams {
  out: Writable & { isTTY?: boolean }
  err: Output
  clock: Clock
}

const DAY_MS = 86_400_000

/**
 * `jeton audit query`: prints the newest records that match, oldest first or with `reverse` newest first: as they were
 * recorded, a line each, or as a table. Gives the exit code: 0 also where nothing matches, 2 for wrong usage; what cannot
 * be read is thrown, with a message for operators.
 */
export function auditQuery(
  args: AuditQueryArguments,
  { out, err, clock }: AuditQueryStreams,
): Promise<number> {
  return catchUsageErrors(err, async () => {
    const { query, limit } = queryOf(args, clock.now())
    const render = renderingOf(args.output ?? (out.isTTY ? 'table' : 'json'))
    const onUnreadable: OnUnreadable = ({ where, lines }) =>
      void err.write(
        `note: ${where}: ${lines} ${lines === 1 ? 'line is' : 'lines are'} no record; left out\n`,
      )
    const { source, close } = await sourceOf(args, { clock, onUnreadable })
    try {
      const found = inOrder(source, { query, limit, isReverse: args.reverse === true })
      await print(found, { out, render })
      return 0
    } finally {
      close()
    }
  })
}

function renderingOf(output: string): (found: ParsedRecord) => string {
  if (output === 'json') return ({ line }) => line
  if (output === 'table') return ({ record }) => rowOf(record)
  throw new UsageError('-o takes json or table')
}

interface Opened {
  source: AuditSource
  close(): void
}

async function sourceOf(
  { files, configPath }: AuditQueryArguments,
  { clock, onUnreadable }: { clock: Clock; onUnreadable: OnUnreadable },
): Promise<Opened> {
  if (files.length > 0) return { source: createFileSource({ paths: files, onUnreadable }), close: () => {} }
  const { audit } = await loadStaticConfig(configPath)
  const log = audit.find(each => each.type === 'dynamodb')
  if (!log)
    throw new UsageError(
      `${configPath} has no audit log of type dynamodb: name the files of a log, or another configuration by --config`,
    )
  const { table, region } = log
  const [{ createDynamodbClient }, { createDynamodbSource }] = await Promise.all([
    import('../aws/dynamodb.ts'),
    import('../audit/dynamodb/source.ts'),
  ])
  const client = createDynamodbClient({ clock, ...(region !== undefined && { region }) })
  const source = createDynamodbSource({ client, table, clock, defaultSpanMs: DAY_MS, onUnreadable })
  return { source, close: () => client.destroy() }
}

interface Selection {
  query: AuditQuery
  limit: number
  isReverse: boolean
}

async function* inOrder(
  source: AuditSource,
  { query, limit, isReverse }: Selection,
): AsyncGenerator<ParsedRecord> {
  if (isReverse) return yield* source.newest(query, limit)
  if (limit === Number.POSITIVE_INFINITY) return yield* source.all(query)
  const newest: ParsedRecord[] = []
  for await (const found of source.newest(query, limit)) newest.push(found)
  yield* newest.reverse()
}

async function print(
  found: AsyncIterable<ParsedRecord>,
  { out, render }: { out: Writable; render: (found: ParsedRecord) => string },
): Promise<void> {
  async function* lines() {
    for await (const each of found) yield `${render(each)}\n`
  }
  try {
    await pipeline(Readable.from(lines()), out, { end: false })
  } catch (cause) {
    // Who reads has seen enough, as `head` does.
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EPIPE')) throw cause
  }
}
