import { randomBytes } from 'node:crypto'
import { type AttributeValue, DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb'
import { onTestFinished } from 'vitest'
import { startDynamodb } from '../support/aws/dynamodb.ts'
import { startKms } from '../support/aws/kms.ts'
import { ORDERS } from '../support/databases/orders.ts'
import { storeWith } from '../support/service/fleet.ts'
import { startTarget, type Target } from './target.ts'

export type Item = Record<string, AttributeValue>

/** The one table that instances share, and somebody who may write to it. */
export interface HostileTable {
  readonly kms: Awaited<ReturnType<typeof startKms>>
  /** Starts an instance on the table; the first one decides the keys of all. */
  startInstance(): Promise<Target>
  /** Returns the items whose key begins with `prefix`. */
  items(prefix: string): Promise<Item[]>
  put(item: Item): Promise<void>
}

export const text = (value: string): AttributeValue => ({ S: value })
export const number = (value: number): AttributeValue => ({ N: String(value) })
export const bytes = (value: string): AttributeValue => ({ B: Buffer.from(value) })

const TABLE = 'jeton'
const KEY = randomBytes(32).toString('base64')

/** Starts a table until the test ends. The store's keys come from a file, or from KMS; everybody may have all `users`. */
export async function startHostileTable({
  users = ORDERS.users,
  keys = 'file',
}: {
  users?: readonly string[]
  keys?: 'file' | 'kms'
} = {}): Promise<HostileTable> {
  const [dynamodb, kms] = await Promise.all([startDynamodb(), startKms()])
  const client = new DynamoDBClient({
    endpoint: dynamodb.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATHIEF', secretAccessKey: 'any' },
  })
  onTestFinished(async () => {
    client.destroy()
    await Promise.all([dynamodb.close(), kms.close()])
  })
  return {
    kms,
    startInstance: () =>
      startTarget({
        env: { ...dynamodb.environment(), ...kms.environment() },
        files: { 'store.key': KEY },
        config: environment => {
          const { databases } = environment.config() as { databases: { orders: object } }
          return {
            databases: { orders: { ...databases.orders, users } },
            grants: [
              { name: 'all', principal: { issuer: 'pinned', subject: 'job-1' }, database: 'orders', users },
            ],
            store: storeWith(keys === 'kms' ? { kmsKeyId: 'alias/jeton' } : { keyFile: 'store.key' }),
          }
        },
      }),
    async items(prefix) {
      const items: Item[] = []
      for await (const { Items = [] } of paginateScan({ client }, { TableName: TABLE, ConsistentRead: true }))
        items.push(...Items.filter(({ pk }) => pk?.S?.startsWith(prefix)))
      return items
    },
    put: async item => void (await client.send(new PutItemCommand({ TableName: TABLE, Item: item }))),
  }
}
