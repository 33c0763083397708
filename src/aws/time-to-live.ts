import { DescribeTimeToLiveCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'

/**
 * Returns the attribute by which a table's items expire; `undefined` if none do. Rejects with the SDK's errors: for an
 * `AccessDeniedException` of a role that serves well without, too.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTimeToLive.html
 */
export async function findExpiryAttribute(
  client: DynamoDBClient,
  table: string,
): Promise<string | undefined> {
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: table }))
  const { TimeToLiveStatus: status, AttributeName: attribute } = TimeToLiveDescription ?? {}
  return status === 'ENABLED' || status === 'ENABLING' ? attribute : undefined
}
