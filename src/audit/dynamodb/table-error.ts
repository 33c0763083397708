import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describeAwsError, findRegion, NO_REGION } from '../../aws/errors.ts'

/** A failure of the audit table in a line: AWS's error by name, status and request id, never its message. */
export async function describeTableError(cause: unknown, client: DynamoDBClient): Promise<string> {
  const region = await findRegion(client)
  return region === undefined ? NO_REGION : describeAwsError(cause)
}
