import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describeFailedCall } from '../aws/errors.ts'
import { JetonError } from '../errors.ts'

const RETRY_AFTER_MS = 1000

const PERMISSIONS = 'dynamodb:GetItem and dynamodb:PutItem on the table'
/** What to do about the errors that do not pass by themselves. */
const REMEDIES = new Map([
  [
    'ResourceNotFoundException',
    'there is no such table in that region: create it, or correct store.table or the region',
  ],
  [
    'AccessDeniedException',
    `jeton's own role needs ${PERMISSIONS}, and the use of the table's KMS key if it has one`,
  ],
  ['ValidationException', "the table's keys must be pk and sk, both strings"],
])

/**
 * Returns any failure of the SDK as `temporarily_unavailable`. The reason has the table, its region, and what
 * `explainAwsError` returns. The error is not the cause.
 */
export async function asStoreFailure(
  cause: unknown,
  { client, table }: { client: DynamoDBClient; table: string },
): Promise<JetonError> {
  const summary = `cannot use the DynamoDB table ${table}`
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'the store cannot be reached; try again',
    reason: await describeFailedCall(cause, { client, summary, remedies: REMEDIES }),
    retryAfterMs: RETRY_AFTER_MS,
  })
}
