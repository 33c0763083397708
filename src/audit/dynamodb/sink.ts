import { setMaxListeners } from 'node:events'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { LRUCache } from 'lru-cache'
import { backoffMs, jitteredMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { distinct } from '../../lib/maps.ts'
import type { Sink } from '../sink.ts'
import { auditItem } from './item.ts'
import { createPutItem } from './put-item.ts'

/** Each needs a connection. More would keep DynamoDB no busier: a put takes it milliseconds, and the processor part of one. */
const MAX_CONCURRENT_PUTS = 25
/** Four puts for each connection: under a load that is too high, the batches that are taken still end in time. */
export const MAX_WRITES = 100
/** A little less than the audit log waits for a sink, so that the error can still say what happened. */
const APPEND_TIMEOUT_MS = 1800
const BACKOFF = { firstMs: 20, maxMs: 400 }
const MAX_TAKEN_KEYS = 1000

export interface DynamodbSinkOptions {
  client: DynamoDBClient
  table: string
  clock: Clock
  /** DynamoDB deletes a record after this many days. Default: never. */
  retentionDays?: number | undefined
  /** Returns a number from 0 to 1, as `Math.random` does. */
  random: () => number
}

/**
 * Creates a sink that puts an item for each record (see `auditItem`), many at once. `append` resolves when DynamoDB has
 * acknowledged all of them, which then are on the disks of several data centres; it rejects if that takes longer than
 * 1.8 s. It overwrites nothing: a record written twice is one item, and `append` rejects if another record has its key. No
 * hash chain, which would make the vends of all instances wait for each other.
 */
export function createDynamodbSink(options: DynamodbSinkOptions): Sink {
  const { client, table, clock, retentionDays, random } = options
  const putItem = createPutItem({ client, table })
  /** Lines whose keys another record has: when they come again, as refusals do, they must not fail every batch. */
  const takenKeys = new LRUCache<string, true>({ max: MAX_TAKEN_KEYS })
  let lastAppend: Promise<void> = Promise.resolve()

  async function write(line: string, { signal, fallbackTimeMs, onThrottled }: AppendCall): Promise<void> {
    const item = auditItem(line, { fallbackTimeMs, retentionDays, isKeyTaken: takenKeys.has(line) })
    for (let retries = 0; ; retries++) {
      const outcome = await putItem(item, signal)
      if (outcome === 'written') return
      if (outcome === 'key taken') {
        takenKeys.set(line, true)
        throw new Error(`the audit table ${table} has another record under the key of this one: ${FIND_OUT}`)
      }
      onThrottled()
      const pauseMs = jitteredMs(backoffMs(retries, BACKOFF), { low: 0.5, high: 1, random: random() })
      await clock.sleep(pauseMs, signal)
    }
  }

  async function writeAll(lines: string[], call: AppendCall): Promise<void> {
    // Node warns of a leak at more than ten listeners; here every put in flight has one
    setMaxListeners(0, call.signal)
    const writeNext = async () => {
      for (let line = lines.shift(); line !== undefined; line = lines.shift()) await write(line, call)
    }
    try {
      await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT_PUTS, lines.length) }, writeNext))
    } finally {
      lines.length = 0
    }
  }

  async function append(lines: readonly string[]): Promise<void> {
    const fallbackTimeMs = clock.now()
    let what = 'it has not'
    const onThrottled = () => {
      what = 'it throttles, and has not'
    }
    await withTimeout(signal => writeAll(distinct(lines), { signal, fallbackTimeMs, onThrottled }), {
      clock,
      timeoutMs: APPEND_TIMEOUT_MS,
      timedOut: () => new Error(`${what} taken every record within ${APPEND_TIMEOUT_MS} ms`),
    })
  }

  return {
    name: `dynamodb ${table}`,
    maxWrites: MAX_WRITES,
    append(lines) {
      const done = append(lines)
      lastAppend = done.catch(() => {})
      return done
    },
    headHash: () => undefined,
    close: () => lastAppend,
  }
}

const FIND_OUT = 'only jeton may write to it; find out who did'

/** One `append` in progress. */
interface AppendCall {
  /** Aborts when the append has failed or timed out. */
  readonly signal: AbortSignal
  readonly fallbackTimeMs: number
  readonly onThrottled: () => void
}
