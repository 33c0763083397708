import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { describeFailedCall } from '../../aws/errors.ts'
import type { AuditItem } from './item.ts'

export type PutOutcome = 'written' | 'key taken' | 'throttled'

/** Puts an item of the audit table and overwrites none of another record. */
export type PutItem = (item: AuditItem, abortSignal: AbortSignal) => Promise<PutOutcome>

const IS_NEW = 'attribute_not_exists(pk)'
const IS_SAME_RECORD = '#record = :record'

/**
 * Returns the function that puts items into a table. If a key is taken, it asks whether by the same record: the SDK sends a
 * request again whose reply was lost, and a failed batch is appended again. That is a second put with a condition, not a
 * read, so that jeton's role needs `dynamodb:PutItem` alone. Rejects with a line for operators, or with the signal's reason.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
 */
export function createPutItem({ client, table }: { client: DynamoDBClient; table: string }): PutItem {
  async function send(command: PutItemCommand, abortSignal: AbortSignal): Promise<PutOutcome> {
    try {
      await client.send(command, { abortSignal })
      return 'written'
    } catch (cause) {
      if (abortSignal.aborted) throw abortSignal.reason
      if (cause instanceof ConditionalCheckFailedException) return 'key taken'
      if (isThrottling(cause)) return 'throttled'
      throw await asPutFailure(cause, { client, table })
    }
  }

  return async (item, abortSignal) => {
    const put = { TableName: table, Item: item }
    const outcome = await send(new PutItemCommand({ ...put, ConditionExpression: IS_NEW }), abortSignal)
    if (outcome !== 'key taken') return outcome
    const putAgain = {
      ...put,
      // an item that has meanwhile expired is new again
      ConditionExpression: `${IS_NEW} OR ${IS_SAME_RECORD}`,
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: { ':record': { S: item.record?.S ?? '' } },
    }
    return send(new PutItemCommand(putAgain), abortSignal)
  }
}

/**
 * Finds out whether items may be put into a table, by a put on a condition that never holds: nothing is written, but AWS
 * looks at the permission and the table's keys first. Rejects with a line for operators if not.
 */
export async function tryPutItem({
  client,
  table,
}: {
  client: DynamoDBClient
  table: string
}): Promise<void> {
  const key = { S: 'jeton check' }
  const command = new PutItemCommand({
    TableName: table,
    Item: { pk: key, sk: key },
    ConditionExpression: `attribute_exists(pk) AND ${IS_NEW}`,
  })
  await client.send(command).catch(async cause => {
    if (cause instanceof ConditionalCheckFailedException) return
    throw await asPutFailure(cause, { client, table })
  })
}

async function asPutFailure(
  cause: unknown,
  { client, table }: { client: DynamoDBClient; table: string },
): Promise<Error> {
  const summary = `cannot write to the audit table ${table}`
  return new Error(await describeFailedCall(cause, { client, summary, remedies: REMEDIES }))
}

/** Only for errors that do not pass by themselves. */
const REMEDIES = new Map([
  ['AccessDeniedException', "jeton's own role needs dynamodb:PutItem on the table"],
  [
    'ResourceNotFoundException',
    'there is no such table in that region: create it, or correct its name or region',
  ],
  ['ValidationException', "the table's keys must be pk and sk, both strings"],
])

const THROTTLING = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
])
const isThrottling = (cause: unknown) => cause instanceof Error && THROTTLING.has(cause.name)
