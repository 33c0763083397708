import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Found } from '../audit/found.ts'
import type { AuditQuery, OnUnreadable, Source } from '../audit/query.ts'
import { fileSource } from '../audit/sources/file.ts'
import type { Clock } from '../clock.ts'
import { loadConfigAlone } from '../config/load.ts'
import { type AuditQueryFlags, queryOf } from './audit-query-options.ts'
import { rowOf } from './audit-row.ts'
import type { Output } from './check.ts'
import { orWrongUsage, WrongUsage } from './wrong-usage.ts'

export interface AuditQueryArguments extends AuditQueryFlags {
  /** Logs of type file; without any, the table that the configuration names is read. */
  files: readonly string[]
  configPath: string
  reverse?: boolean | undefined
  /** `json` or `table`; by default a table on a terminal. */
  output?: string | undefined
}

export interface AuditQueryWorld {
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
export function auditQuery(args: AuditQueryArguments, { out, err, clock }: AuditQueryWorld): Promise<number> {
  return orWrongUsage(err, async () => {
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

function renderingOf(output: string): (found: Found) => string {
  if (output === 'json') return ({ line }) => line
  if (output === 'table') return ({ record }) => rowOf(record)
  throw new WrongUsage('-o takes json or table')
}

interface Opened {
  source: Source
  close(): void
}

async function sourceOf(
  { files, configPath }: AuditQueryArguments,
  { clock, onUnreadable }: { clock: Clock; onUnreadable: OnUnreadable },
): Promise<Opened> {
  if (files.length > 0) return { source: fileSource({ paths: files, onUnreadable }), close: () => {} }
  const { audit } = await loadConfigAlone(configPath)
  const log = audit.find(each => each.type === 'dynamodb')
  if (!log)
    throw new WrongUsage(
      `${configPath} has no audit log of type dynamodb: name the files of a log, or another configuration by --config`,
    )
  const { table, region } = log
  const [{ dynamodbClient }, { dynamodbSource }] = await Promise.all([
    import('../aws/dynamodb.ts'),
    import('../audit/sources/dynamodb.ts'),
  ])
  const client = dynamodbClient({ clock, ...(region !== undefined && { region }) })
  const source = dynamodbSource({ client, table, clock, defaultSpanMs: DAY_MS, onUnreadable })
  return { source, close: () => client.destroy() }
}

interface Selection {
  query: AuditQuery
  limit: number
  isReverse: boolean
}

async function* inOrder(source: Source, { query, limit, isReverse }: Selection): AsyncGenerator<Found> {
  if (isReverse) return yield* source.newest(query, limit)
  if (limit === Number.POSITIVE_INFINITY) return yield* source.all(query)
  const newest: Found[] = []
  for await (const found of source.newest(query, limit)) newest.push(found)
  yield* newest.reverse()
}

async function print(
  found: AsyncIterable<Found>,
  { out, render }: { out: Writable; render: (found: Found) => string },
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
