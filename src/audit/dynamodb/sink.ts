import { setMaxListeners } from 'node:events'
import { BatchWriteItemCommand, type DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb'
import type { Clock } from '../../lib/clock.ts'
import type { Sink } from '../sink.ts'
import { type AuditItem, auditItem } from './item.ts'
import { describeTableError } from './table-error.ts'

/** What one BatchWriteItem takes; items have at most 400 KB, so that its 16 MB are never reached. */
const CHUNK = 25
const CHUNKS_AT_ONCE = 8
/** A little less than what the audit log waits for a log: what failed by then can still say why. */
const PATIENCE_MS = 1800
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 400

export interface DynamodbSinkOptions {
  client: DynamoDBClient
  table: string
  clock: Clock
  /** After so many days DynamoDB deletes a record; absent keeps it for ever. */
  retentionDays?: number | undefined
  /** From 0 to 1, as `Math.random`. */
  random?: () => number
}

/**
 * An item for each record (see `itemOf`); `append` resolves when DynamoDB acknowledged every one of them, which is when
 * they are on the disks of several data centres, and rejects where one is not acknowledged within 1.8 s. A record written
 * twice, for its reply was lost, is one item; nothing is changed or deleted (but by TTL, with `retentionDays`).
 *
 * There is no chain: several instances write at once, and one chain through all of them would make each vend wait for all
 * others. In its place, point-in-time recovery shows the table as it was. Does NOT keep who has the same IAM permission from
 * writing over a record or deleting it: BatchWriteItem is one permission for all of that.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 */
export function createDynamodbSink(options: DynamodbSinkOptions): Sink {
  const { client, table, clock, retentionDays, random = Math.random } = options
  let flight: Promise<void> = Promise.resolve()

  /** Gives what is left to write. */
  async function send(requests: WriteRequest[], abortSignal: AbortSignal): Promise<WriteRequest[]> {
    try {
      const command = new BatchWriteItemCommand({ RequestItems: { [table]: requests } })
      const { UnprocessedItems = {} } = await client.send(command, { abortSignal })
      return Object.values(UnprocessedItems).flat()
    } catch (cause) {
      if (abortSignal.aborted) throw abortSignal.reason
      // Not one item was taken, which is no other case than some of them.
      if (isThrottling(cause)) return requests
      throw new Error(await describeTableError(cause, client))
    }
  }

  async function write(requests: WriteRequest[], patience: Patience): Promise<void> {
    let left = await send(requests, patience.signal)
    for (let pauseMs = FIRST_PAUSE_MS; left.length > 0; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      patience.noteThrottled()
      await clock.sleepUntil(clock.now() + pauseMs * (0.5 + random() / 2), patience.signal)
      left = await send(left, patience.signal)
    }
  }

  async function append(lines: readonly string[]): Promise<void> {
    const startedAt = clock.now()
    // A batch must not name one key twice.
    const items = new Map<string, AuditItem>()
    for (const line of lines) {
      const item = auditItem(line, { seenAt: startedAt, retentionDays })
      items.set(`${item.pk?.S} ${item.sk?.S}`, item)
    }
    const requests = [...items.values()].map(Item => ({ PutRequest: { Item } }))
    const patience = patienceUntil(startedAt + PATIENCE_MS, clock)
    const writeOn = async () => {
      while (requests.length > 0)
        await Promise.race([write(requests.splice(0, CHUNK), patience), patience.over])
    }
    try {
      await Promise.all(Array.from({ length: CHUNKS_AT_ONCE }, writeOn))
    } finally {
      requests.length = 0
      patience.end()
    }
  }

  return {
    name: `dynamodb ${table}`,
    append(lines) {
      const done = append(lines)
      flight = done.catch(() => {})
      return done
    },
    head: () => undefined,
    close: () => flight,
  }
}

const THROTTLING = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
])
const isThrottling = (cause: unknown) => cause instanceof Error && THROTTLING.has(cause.name)

/** The end that a batch must not pass. */
interface Patience {
  /** Aborts at that end, or when the batch has failed before it. */
  readonly signal: AbortSignal
  /** Rejects then, whatever still hangs. */
  readonly over: Promise<never>
  /** So that an operator learns what the time went by with. */
  noteThrottled(): void
  end(): void
}

function patienceUntil(dueAt: number, clock: Clock): Patience {
  const controller = new AbortController()
  const { signal } = controller
  // Node warns of more than ten as of a leak; here every request on its way listens.
  setMaxListeners(0, signal)
  let what = 'it has not'
  const over = clock.sleepUntil(dueAt, signal).then((): never => {
    controller.abort(new Error(`${what} taken every record within ${PATIENCE_MS} ms`))
    throw signal.reason
  })
  over.catch(() => {})
  return {
    signal,
    over,
    noteThrottled() {
      what = 'it throttles, and has not'
    },
    end: () => controller.abort(),
  }
}
