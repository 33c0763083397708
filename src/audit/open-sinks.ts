import type { Writable } from 'node:stream'
import type { AuditLogConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../telemetry/log.ts'
import { openFileSink } from './file/sink.ts'
import type { Sink } from './sink.ts'
import { createStdoutSink } from './stdout/sink.ts'

export interface SinkParts {
  clock: Clock
  /** What patience goes by: no reply corrects it. */
  timer: Clock
  log: Log
  /** Where the log goes that is called stdout. */
  stdout: Writable
}

/** The configured audit logs, in their order. Rejects where one cannot be opened; those opened before are closed again. */
export async function openSinks(logs: readonly AuditLogConfig[], parts: SinkParts): Promise<Sink[]> {
  const sinks: Sink[] = []
  try {
    for (const log of logs) sinks.push(await openSink(log, parts))
    return sinks
  } catch (cause) {
    await Promise.all(sinks.map(sink => sink.close()))
    throw cause
  }
}

/** A new kind of log is a case here. What it needs of the AWS SDK is loaded only where it is configured. */
async function openSink(config: AuditLogConfig, { clock, timer, log, stdout }: SinkParts): Promise<Sink> {
  switch (config.type) {
    case 'stdout':
      return createStdoutSink(stdout)
    case 'file':
      return openFileSink({ path: config.path, clock, log })
    case 'dynamodb': {
      const [{ createDynamodbClient }, { createDynamodbSink }] = await Promise.all([
        import('../aws/dynamodb.ts'),
        import('./dynamodb/sink.ts'),
      ])
      const { table, region, retentionDays } = config
      const client = createDynamodbClient({ clock, ...(region !== undefined && { region }) })
      return createDynamodbSink({ client, table, retentionDays, clock: timer })
    }
  }
}
