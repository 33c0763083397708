import { logFilesOf } from '../audit/file/log-files.ts'
import { createFileSource } from '../audit/file/source.ts'
import type { FollowedSearch } from '../audit/follow/followed-search.ts'
import type { FollowEvents } from '../audit/follow/follower.ts'
import { searchAndFollowFiles } from '../audit/follow/search-files.ts'
import type { AuditQuery, AuditSource, OnRead, OnUnreadable } from '../audit/query.ts'
import { loadStaticConfig } from '../config/load.ts'
import { UsageError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { countText } from '../lib/count-text.ts'
import { DAY_MS } from '../lib/iso-time.ts'

/** Which log to search. */
export interface LogChoice {
  /** Files of a sink of type `file`, or kept from stdout; without any, the log that the configuration names. */
  files: readonly string[]
  configPath: string
}

export interface LogParts {
  clock: Clock
  onUnreadable: OnUnreadable
  onTruncated: (path: string) => void
  /** Called with a rotated file that is compressed by something else than gzip. */
  onCompressed: (path: string) => void
  onRead: OnRead
  /** Called if a log that is followed has a gap. */
  onMissing: FollowEvents['onMissing']
}

/** A log that can be searched. */
export interface SearchedLog {
  source: AuditSource
  /** As it is named in a sentence. */
  name: string
  /** Returns the time in milliseconds from which a query searches; undefined for the beginning. */
  startOf(query: AuditQuery): number | undefined
  /** What is not searched, and how it is. */
  rest: string
  /** Opens the log to be searched and then followed; it has to be closed for itself. */
  follow(): Promise<FollowedSearch>
  close(): void
}

/**
 * Opens the files, or the log that the configuration names: its table, where the records of all instances are, else its file
 * and those that it was rotated to. A second file has the same records. Throws `UsageError` if there is none that can be searched.
 */
export async function openLog({ files, configPath }: LogChoice, parts: LogParts): Promise<SearchedLog> {
  if (files.length > 0)
    return openFiles(files, {
      parts,
      rest: '',
      name: files.length === 1 ? `${files[0]}` : `${files.length} files`,
    })

  const { audit } = await loadStaticConfig(configPath)
  const table = audit.find(each => each.type === 'dynamodb')
  if (table) return openTable(table, parts)
  const file = audit.find(each => each.type === 'file')
  if (file) return openRotatedFiles(file.path, parts)
  throw new UsageError(
    `${configPath} has no audit sink that can be searched: name the files that keep its stdout, or another configuration with --config`,
  )
}

async function openRotatedFiles(path: string, parts: LogParts): Promise<SearchedLog> {
  const { files, unreadable } = await logFilesOf(path)
  for (const each of unreadable) parts.onCompressed(each)
  const rotated = files.filter(each => each.path !== path).length
  return {
    source: createFileSource({ paths: [], files, ...parts }),
    follow: () => searchAndFollowFiles({ paths: [path], hasRotated: true, now: parts.clock.now, ...parts }),
    name: rotated === 0 ? path : `${path} and ${countText(rotated, 'file')} that it was rotated to`,
    rest: '',
    startOf: ({ from }) => from,
    close: () => {},
  }
}

function openFiles(
  paths: readonly string[],
  { parts, name, rest }: { parts: LogParts; name: string; rest: string },
): SearchedLog {
  const source = createFileSource({ paths, ...parts })
  const follow = () => searchAndFollowFiles({ paths, hasRotated: false, now: parts.clock.now, ...parts })
  return { source, name, rest, follow, startOf: ({ from }) => from, close: () => {} }
}

async function openTable(
  { table, region }: { table: string; region?: string | undefined },
  parts: LogParts,
): Promise<SearchedLog> {
  const [{ createDynamodbClient }, { createDynamodbSource }, { searchAndFollowTable }] = await Promise.all([
    import('../aws/dynamodb.ts'),
    import('../audit/dynamodb/source.ts'),
    import('../audit/follow/search-table.ts'),
  ])
  const { clock } = parts
  const client = createDynamodbClient({ clock, region })
  const source = createDynamodbSource({ client, table, defaultSpanMs: DAY_MS, ...parts })
  return {
    source,
    follow: () => searchAndFollowTable({ source, table, clock }),
    name: `the table ${table}`,
    startOf: ({ from, to }) => from ?? (to ?? clock.now()) - DAY_MS,
    rest: '; --from searches from an earlier time',
    close: () => client.destroy(),
  }
}
