import type { SinkConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { createRecentFile } from './file/recent.ts'
import type { RecentRecords } from './recent-records.ts'
import type { RecordMemory } from './record-memory.ts'
import { shareReads } from './shared-reads.ts'

export interface RecentRecordsParts {
  clock: Clock
  /** Of what the first sink takes. */
  memory: RecordMemory | undefined
}

export interface OpenRecentRecords {
  readonly recent: RecentRecords
  close(): void
}

/** Whether records of these sinks can be read nowhere but in a memory of this process. */
export function needsRecordMemory(configs: readonly SinkConfig[]): boolean {
  return configs.every(({ type }) => type === 'stdout')
}

/**
 * Opens what pages read records from: the configured table, where those of all instances are, else the file, else the memory. The
 * AWS SDK is loaded only for a table. Nothing is read before it is asked for. Throws if there is none of them.
 */
export async function openRecentRecords(
  configs: readonly SinkConfig[],
  { clock, memory }: RecentRecordsParts,
): Promise<OpenRecentRecords> {
  const opened = (recent: RecentRecords, close = () => {}) => ({ recent: shareReads(recent, clock), close })
  const table = configs.find(each => each.type === 'dynamodb')
  if (table) {
    const [{ createDynamodbClient }, { createRecentTable }] = await Promise.all([
      import('../aws/dynamodb.ts'),
      import('./dynamodb/recent.ts'),
    ])
    const client = createDynamodbClient({ clock, region: table.region })
    return opened(createRecentTable({ client, table: table.table, clock }), () => client.destroy())
  }
  const file = configs.find(each => each.type === 'file')
  if (file) return opened(createRecentFile({ path: file.path, clock }))
  if (!memory) throw new Error('records are written to stdout alone, and nothing remembers them')
  return opened(memory.recent({ clock, name: 'stdout' }))
}
