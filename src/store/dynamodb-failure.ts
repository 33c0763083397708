import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { awsErrorFacts, describeAwsError } from '../aws/errors.ts'
import { JetonError } from '../errors.ts'

const COME_BACK_MS = 1000

const PERMISSIONS = 'dynamodb:GetItem and dynamodb:PutItem on the table'
/** What passes by itself is not among them. */
const TO_DO = new Map([
  [
    'ResourceNotFoundException',
    'there is no such table in that region: create it, or mend its name or region',
  ],
  [
    'AccessDeniedException',
    `jeton's own role needs ${PERMISSIONS}, and the use of the table's key where it has one`,
  ],
  ['UnrecognizedClientException', 'AWS does not know the credentials that jeton runs with: renew them'],
  ['InvalidSignatureException', 'AWS does not accept the credentials that jeton runs with: renew them'],
  ['ExpiredTokenException', 'the credentials that jeton runs with have expired: renew them'],
  ['ValidationException', "the table's keys have to be pk and sk, both strings"],
  [
    'CredentialsProviderError',
    `jeton finds no AWS credentials of its own: it needs some with ${PERMISSIONS}`,
  ],
])

/**
 * Any failure of the SDK, as `temporarily_unavailable`: the name, status and request id of AWS's error, the table and region
 * that were asked, and for what an operator has to mend, how. Never the error's message.
 */
export async function dynamodbFailure(
  cause: unknown,
  { client, table }: { client: DynamoDBClient; table: string },
): Promise<JetonError> {
  const region = await client.config.region().catch(() => undefined)
  const toDo =
    region === undefined ? 'no region is configured: set AWS_REGION' : TO_DO.get(awsErrorFacts(cause).name)
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'the store cannot be reached; try again',
    reason: `DynamoDB's table ${table} in ${region ?? 'no region'} failed: ${describeAwsError(cause)}${toDo ? `; ${toDo}` : ''}`,
    retryAfterMs: COME_BACK_MS,
  })
}
