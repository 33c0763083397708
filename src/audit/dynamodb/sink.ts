import { setMaxListeners } from 'node:events'
import { BatchWriteItemCommand, type DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb'
import { describeFailedCall } from '../../aws/errors.ts'
import { backoffMs, jitteredMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import type { Sink } from '../sink.ts'
import { type AuditItem, auditItem, type ItemOptions } from './item.ts'

/** The limit of one BatchWriteItem. Items have at most 400 KB, so that its limit of 16 MB is never reached. */
const MAX_REQUESTS = 25
const MAX_CONCURRENT_CALLS = 8
/** A little less than the audit log waits for a sink, so that the error can still say what happened. */
const APPEND_TIMEOUT_MS = 1800
const BACKOFF = { firstMs: 20, maxMs: 400 }

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
 * Creates a sink that writes an item for each record (see `auditItem`). `append` resolves when DynamoDB has acknowledged
 * all of them, which then are on the disks of several data centres; it rejects if that takes longer than 1.8 s. A record
 * written twice, because a reply was lost, is one item. No hash chain, which would make the vends of all instances wait
 * for each other. Does NOT keep others with jeton's IAM permission from overwriting records: see docs/operations.md.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 */
export function createDynamodbSink(options: DynamodbSinkOptions): Sink {
  const { client, table, clock, retentionDays, random } = options
  let lastAppend: Promise<void> = Promise.resolve()

  /** Returns the requests that are still to be written. */
  async function send(requests: WriteRequest[], abortSignal: AbortSignal): Promise<WriteRequest[]> {
    try {
      const command = new BatchWriteItemCommand({ RequestItems: { [table]: requests } })
      const { UnprocessedItems = {} } = await client.send(command, { abortSignal })
      return Object.values(UnprocessedItems).flat()
    } catch (cause) {
      if (abortSignal.aborted) throw abortSignal.reason
      // DynamoDB throws this if it took none of the items; if it took some, it returns the others
      if (isThrottling(cause)) return requests
      const summary = `cannot write to the audit table ${table}`
      throw new Error(await describeFailedCall(cause, { client, summary, remedies: REMEDIES }))
    }
  }

  async function write(requests: WriteRequest[], { signal, onThrottled }: AppendCall): Promise<void> {
    let unprocessed = await send(requests, signal)
    for (let retries = 0; unprocessed.length > 0; retries++) {
      onThrottled()
      const pauseMs = jitteredMs(backoffMs(retries, BACKOFF), { low: 0.5, high: 1, random: random() })
      await clock.sleepUntil(clock.now() + pauseMs, signal)
      unprocessed = await send(unprocessed, signal)
    }
  }

  async function writeAll(requests: WriteRequest[], call: AppendCall): Promise<void> {
    // Node warns of a leak at more than ten listeners; here every call in flight has one
    setMaxListeners(0, call.signal)
    const writeNext = async () => {
      while (requests.length > 0) await write(requests.splice(0, MAX_REQUESTS), call)
    }
    try {
      await Promise.all(Array.from({ length: MAX_CONCURRENT_CALLS }, writeNext))
    } finally {
      requests.length = 0
    }
  }

  async function append(lines: readonly string[]): Promise<void> {
    const requests = requestsOf(lines, { fallbackTimeMs: clock.now(), retentionDays })
    let what = 'it has not'
    const onThrottled = () => {
      what = 'it throttles, and has not'
    }
    await withTimeout(signal => writeAll(requests, { signal, onThrottled }), {
      clock,
      timeoutMs: APPEND_TIMEOUT_MS,
      timedOut: () => new Error(`${what} taken every record within ${APPEND_TIMEOUT_MS} ms`),
    })
  }

  return {
    name: `dynamodb ${table}`,
    append(lines) {
      const done = append(lines)
      lastAppend = done.catch(() => {})
      return done
    },
    headHash: () => undefined,
    close: () => lastAppend,
  }
}

/** Only for errors that do not pass by themselves. */
const REMEDIES = new Map([
  ['AccessDeniedException', "jeton's own role needs dynamodb:BatchWriteItem on the table"],
  [
    'ResourceNotFoundException',
    'there is no such table in that region: create it, or correct its name or region',
  ],
])

/** One `append` in progress. */
interface AppendCall {
  /** Aborts when the append has failed or timed out. */
  readonly signal: AbortSignal
  readonly onThrottled: () => void
}

/** A BatchWriteItem must not name one key twice. */
function requestsOf(lines: readonly string[], options: ItemOptions): WriteRequest[] {
  const items = new Map<string, AuditItem>()
  for (const line of lines) {
    const item = auditItem(line, options)
    items.set(`${item.pk?.S} ${item.sk?.S}`, item)
  }
  return [...items.values()].map(Item => ({ PutRequest: { Item } }))
}

const THROTTLING = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
])
const isThrottling = (cause: unknown) => cause instanceof Error && THROTTLING.has(cause.name)
