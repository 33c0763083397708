import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { createClient, SHORT_CALLS } from './client.ts'

/**
 * Returns a client for DynamoDB. Every call ends within 2.5 s. Calls reject with the SDK's errors, or with `TimeoutError` at
 * the deadline, although the write may have happened. Connections are kept alive.
 */
export function createDynamodbClient({
  clock,
  region,
}: {
  clock: Clock
  region?: string | undefined
}): DynamoDBClient {
  const client = createClient(DynamoDBClient, { limits: SHORT_CALLS, region, clock })
  client.middlewareStack.add(
    next => args => withDeadline(SHORT_CALLS.deadlineMs, () => next(args)),
    // outermost: the search for credentials and the retries count too
    { step: 'initialize', name: 'deadline', priority: 'high' },
  )
  return client
}
