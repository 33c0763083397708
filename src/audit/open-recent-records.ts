import type { SinkConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { createRecentFile } from './file/recent.ts'
import type { RecentRecords } from './recent-records.ts'
import { createRecordMemory } from './record-memory.ts'
import { shareReads } from './shared-reads.ts'
import type { Sink } from './sink.ts'

export interface OpenRecentRecords {
  readonly recent: RecentRecords
  /** Returns the sinks to write to in place of the opened ones, in their order. */
  watch(sinks: readonly Sink[]): readonly Sink[]
  close(): void
}

/**
 * Opens what pages read records from: the configured table, where those of all instances are, else the file, else a memory of what
 * this process writes to its first sink. The AWS SDK is loaded only for a table. Nothing is read before it is asked for.
 */
export async function openRecentRecords(
  configs: readonly SinkConfig[],
  clock: Clock,
): Promise<OpenRecentRecords> {
  const unwatched = { watch: (sinks: readonly Sink[]) => sinks, close() {} }
  const table = configs.find(each => each.type === 'dynamodb')
  if (table) {
    const [{ createDynamodbClient }, { createRecentTable }] = await Promise.all([
      import('../aws/dynamodb.ts'),
      import('./dynamodb/recent.ts'),
    ])
    const client = createDynamodbClient({ clock, region: table.region })
    const recent = createRecentTable({ client, table: table.table, clock })
    return { ...unwatched, recent: shareReads(recent, clock), close: () => client.destroy() }
  }
  const file = configs.find(each => each.type === 'file')
  if (file) return { ...unwatched, recent: shareReads(createRecentFile({ path: file.path, clock }), clock) }
  const memory = createRecordMemory({ clock, name: 'stdout' })
  return {
    ...unwatched,
    recent: shareReads(memory.recent, clock),
    watch: ([first, ...others]) => (first ? [memory.watch(first), ...others] : []),
  }
}
