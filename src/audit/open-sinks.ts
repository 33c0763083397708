import type { Writable } from 'node:stream'
import type { SinkConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import { openFileSink } from './file/sink.ts'
import type { RecordMemory } from './record-memory.ts'
import type { Sink } from './sink.ts'
import { createStdoutSink } from './stdout/sink.ts'

export interface SinkParts {
  clock: Clock
  /** Measures deadlines; no server's date corrects it. */
  timer: Clock
  health: Health
  log: Log
  /** Returns a number from 0 to 1, as `Math.random` does. */
  random: () => number
  /** The stream that the sink of type `stdout` writes to. */
  stdout: Writable
  /** Remembers what the first sink takes; default: nothing does. */
  recordMemory?: RecordMemory | undefined
}

/** Opens the configured sinks, in their order. Rejects if one cannot be opened, after closing those opened before it. */
export async function openSinks(configs: readonly SinkConfig[], parts: SinkParts): Promise<Sink[]> {
  const sinks: Sink[] = []
  try {
    for (const config of configs) sinks.push(await openSink(config, parts))
    const [first, ...others] = sinks
    return first && parts.recordMemory ? [parts.recordMemory.watch(first), ...others] : sinks
  } catch (cause) {
    await Promise.all(sinks.map(sink => sink.close()))
    throw cause
  }
}

/** The AWS SDK is loaded only if a sink needs it. */
async function openSink(
  config: SinkConfig,
  { clock, timer, health, log, random, stdout }: SinkParts,
): Promise<Sink> {
  switch (config.type) {
    case 'stdout':
      return createStdoutSink(stdout)
    case 'file':
      return openFileSink({ path: config.path, clock, health, log })
    case 'dynamodb': {
      const [{ createDynamodbClient }, { createDynamodbSink }] = await Promise.all([
        import('../aws/dynamodb.ts'),
        import('./dynamodb/sink.ts'),
      ])
      const { table, region, retentionDays } = config
      const client = createDynamodbClient({ clock, region })
      return createDynamodbSink({ client, table, retentionDays, clock: timer, random })
    }
  }
}
