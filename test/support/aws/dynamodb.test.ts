import { DynamoDBClient, GetItemCommand, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Dynamodb, startDynamodb } from './dynamodb.ts'

const ITEM = { pk: { S: 'p' }, sk: { S: 's' }, n: { N: '7' }, b: { B: Uint8Array.of(1, 2) } }
const put = () => new PutItemCommand({ TableName: 'jeton', Item: ITEM })
const get = () => new GetItemCommand({ TableName: 'jeton', Key: { pk: ITEM.pk, sk: ITEM.sk } })

let dynamodb: Dynamodb
let client: DynamoDBClient

beforeEach(async () => {
  dynamodb = await startDynamodb()
  client = new DynamoDBClient({
    endpoint: dynamodb.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  })
})

afterEach(async () => {
  client.destroy()
  await dynamodb.close()
})

test('startDynamodb has both tables, stores items and records calls', async () => {
  const { TableNames } = await client.send(new ListTablesCommand({}))
  expect(TableNames).toEqual(['jeton', 'jeton-audit'])
  await client.send(put())
  expect(await dynamodb.items('jeton')).toEqual([{ pk: 'p', sk: 's', n: 7, b: Uint8Array.of(1, 2) }])
  expect(dynamodb.calls.map(({ operation, table }) => `${operation} ${table}`)).toEqual([
    'ListTables ',
    'PutItem jeton',
  ])
})

test('startDynamodb resets old and new connections until the fault is cleared', async () => {
  await client.send(put())
  dynamodb.faults.gone = true
  for (let i = 0; i < 3; i++) await expect(client.send(get())).rejects.toMatchObject({ code: 'ECONNRESET' })
  dynamodb.faults.gone = false
  expect((await client.send(get())).Item).toEqual(ITEM)
})

test('startDynamodb throttles and fails as DynamoDB does', async () => {
  dynamodb.faults.throttle = true
  await expect(client.send(get())).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' })
  dynamodb.faults.throttle = false
  dynamodb.faults.fail = true
  await expect(client.send(get())).rejects.toMatchObject({
    name: 'InternalServerError',
    $metadata: { httpStatusCode: 500 },
  })
})

test('dropReply breaks the connection after the request was carried out', async () => {
  dynamodb.faults.dropReply(1)
  await expect(client.send(put())).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(await dynamodb.items('jeton')).toHaveLength(1)
  expect((await client.send(get())).Item).toEqual(ITEM)
})
