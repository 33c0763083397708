import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { observeDates } from './observe-dates.ts'

const CONNECT_TIMEOUT_MS = 500
const ANSWER_TIMEOUT_MS = 1000
/** One retry: what the network has lost is asked for again, and what stays away is told to callers soon. */
const ATTEMPTS = 2
/** For all of it: the SDK's search for credentials has no end by itself. */
const DEADLINE_MS = 2500

/**
 * A client for DynamoDB that gives up soon: every call ends within 2.5 s. The SDK finds credentials and endpoint in its own
 * environment, and the region too unless it is given. Calls reject with the SDK's errors, or `TimeoutError` at the deadline:
 * a write that was rejected so may have happened all the same. Connections are kept alive.
 */
export function createDynamodbClient({ clock, region }: { clock: Clock; region?: string }): DynamoDBClient {
  const client = new DynamoDBClient({
    ...(region === undefined ? {} : { region }),
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: ANSWER_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  })
  observeDates(client, clock)
  client.middlewareStack.add(
    next => args => withDeadline(DEADLINE_MS, () => next(args)),
    // around everything else: credentials and retries are within it
    { step: 'initialize', name: 'deadline', priority: 'high' },
  )
  return client
}
