import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describeAwsError } from '../../aws/errors.ts'

/** A failure of the audit table in a line: AWS's error by name, status and request id, never its message. */
export async function describeTableError(cause: unknown, client: DynamoDBClient): Promise<string> {
  // The SDK has no name for this one, and every first installation meets it.
  const region = await client.config.region().catch(() => undefined)
  return region === undefined ? 'no region is configured: set AWS_REGION' : describeAwsError(cause)
}
