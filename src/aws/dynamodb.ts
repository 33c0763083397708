import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { createClient } from './client.ts'

/** Short, for callers wait: a request that is lost is sent again at once, and a table that is away is found out soon. */
const TIMEOUTS = { connectTimeoutMs: 500, responseTimeoutMs: 1000 }
const DEADLINE_MS = 2500

/**
 * Returns a client for DynamoDB that gives up soon: every call ends within 2.5 s. Calls reject with the SDK's errors, or with
 * `TimeoutError` at the deadline: a write that was rejected so may have happened all the same. Connections are kept alive.
 */
export function createDynamodbClient({ clock, region }: { clock: Clock; region?: string }): DynamoDBClient {
  const client = createClient(DynamoDBClient, { ...TIMEOUTS, region, clock })
  client.middlewareStack.add(
    next => args => withDeadline(DEADLINE_MS, () => next(args)),
    // outermost: the search for credentials and the retries count too
    { step: 'initialize', name: 'deadline', priority: 'high' },
  )
  return client
}
