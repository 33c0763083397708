import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { useFile } from '../../audit/file/open-file.ts'
import { followFile } from '../../audit/follow/file-follower.ts'
import { endPosition } from '../../audit/follow/file-places.ts'
import { openFollowedFile, readFirstRecord } from '../../audit/follow/followed-file.ts'
import type { FilePosition, FollowEvents, LogFollower, TablePosition } from '../../audit/follow/follower.ts'
import { listLogFiles } from '../../audit/follow/log-files.ts'
import { invalidUsage } from '../../client/errors.ts'
import { loadStaticConfig } from '../../config/load.ts'
import type { Clock } from '../../lib/clock.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Environment } from '../../lib/process-input.ts'
import { systemCode } from '../../lib/system-error.ts'
import { type LogPosition, parseFilePosition, parseTablePosition } from './cursor-file.ts'
import { stateFile } from './state-file.ts'

/** Where to begin if there is no cursor: a time in milliseconds, the beginning, or now. */
export type ForwardStart = number | 'beginning' | 'now'

/** A log that can be forwarded. */
export interface ForwardedLog<Position extends LogPosition> {
  /** As in `file /var/lib/jeton/audit.jsonl`. */
  readonly name: string
  /** How long to wait before it is looked again, if all is read. */
  readonly pollMs: number
  /** Returns whether there is something to read by now, or was. */
  exists(): Promise<boolean>
  /** Returns where the cursor is unless the operator says it. Throws CallerError if there is no place for it. */
  cursorPath(): Promise<string>
  /** Throws CallerError (exit code 2) if the log has no such place. */
  startAt(start: ForwardStart): Promise<Position>
  parse(position: JsonObject): Position | undefined
  /** Throws an Error for operators if the log cannot be read. */
  follow(position: Position, events: FollowEvents): Promise<LogFollower<Position>>
}

export interface ForwardedLogOptions {
  /** An audit file; without one, the log that the configuration names. */
  file: string | undefined
  configPath: string
  env: Environment
  clock: Clock
}

/** What is done with a log, of whichever kind. */
export type UseLog<T> = <Position extends LogPosition>(log: ForwardedLog<Position>) => Promise<T>

const FILE_POLL_MS = 1000
const TABLE_POLL_MS = 5000

/**
 * Returns what `use` does with the file, or with the table that the configuration names, which has the records of all instances,
 * or else with its file. Throws CallerError (exit code 2) if there is none.
 */
export async function withForwardedLog<T>(options: ForwardedLogOptions, use: UseLog<T>): Promise<T> {
  const { file, configPath } = options
  if (file !== undefined) return use(openFile(resolve(file), options))
  const { audit } = await loadStaticConfig(configPath)
  const table = audit.find(each => each.type === 'dynamodb')
  if (table) return withTable(table, { ...options, use })
  const sink = audit.find(each => each.type === 'file')
  if (sink) return use(openFile(resolve(sink.path), options))
  throw invalidUsage(
    `${configPath} has no audit sink of type file or dynamodb: what reads jeton's stdout can forward that`,
  )
}

function openFile(path: string, { clock }: Pick<ForwardedLogOptions, 'clock'>): ForwardedLog<FilePosition> {
  const from = (timeMs: number): FilePosition => ({
    file: path,
    offset: 0,
    time: new Date(timeMs).toISOString(),
  })
  return {
    name: `file ${path}`,
    pollMs: FILE_POLL_MS,
    exists: async () => (await hasFile(path)) || (await listLogFiles(path)).length > 0,
    // not a name that begins as the log's own, as those of rotated files do
    cursorPath: async () => join(dirname(path), `forward-${basename(path)}.cursor`),
    async startAt(start) {
      await checkIsChained(path)
      if (start === 'now') return endPosition(path, clock.now())
      return from(start === 'beginning' ? 0 : start)
    },
    parse: parseFilePosition,
    follow: (position, events) => followFile({ path, position, ...events }),
  }
}

/** One that is there and cannot be looked at counts: to read it says why. */
async function hasFile(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    cause => systemCode(cause) !== 'ENOENT',
  )
}

/** Throws for a file whose records have no hash chain, such as a log kept from stdout: nothing would tell where it goes on. */
async function checkIsChained(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found || found.size === 0) return
  if ((await useFile(openFollowedFile(path), readFirstRecord))?.prev !== undefined) return
  throw invalidUsage(
    `${path} has no record of a hash chain at its beginning: it is no audit file of type file, or cannot be read`,
  )
}

async function withTable<T>(
  { table, region }: { table: string; region?: string | undefined },
  { clock, env, use }: ForwardedLogOptions & { use: UseLog<T> },
): Promise<T> {
  const [{ createDynamodbClient }, { createDynamodbSource }, { followTable }] = await Promise.all([
    import('../../aws/dynamodb.ts'),
    import('../../audit/dynamodb/source.ts'),
    import('../../audit/follow/table-follower.ts'),
  ])
  const client = createDynamodbClient({ clock, region })
  const name = region === undefined ? `table ${table}` : `table ${table} in ${region}`
  const from = (timeMs: number): TablePosition => {
    const time = new Date(timeMs).toISOString()
    return { table, since: time, until: time, delivered: [] }
  }
  try {
    return await use<TablePosition>({
      name,
      pollMs: TABLE_POLL_MS,
      // if it is not, the first look says so
      exists: async () => true,
      cursorPath: () => stateFile(`forward-${table}.cursor`, env),
      async startAt(start) {
        if (start === 'beginning')
          throw invalidUsage('a table has no beginning that could be read at once: give --from with a time')
        return from(start === 'now' ? clock.now() : start)
      },
      parse: parseTablePosition,
      follow: async (position, { onUnreadable }) => {
        const source = createDynamodbSource({
          client,
          table,
          clock,
          defaultSpanMs: 0,
          onUnreadable: ({ where, lines }) =>
            onUnreadable({ file: where, offset: 0, problem: `${lines} items are no records` }),
        })
        return followTable({ source, clock, position })
      },
    })
  } finally {
    client.destroy()
  }
}
