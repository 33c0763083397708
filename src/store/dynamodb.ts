import { randomBytes } from 'node:crypto'
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { Clock } from '../lib/clock.ts'
import { asStoreFailure } from './dynamodb-failure.ts'
import { UnreadableRecord } from './record-format.ts'
import type { RecordWrite, Store, StoredRecord } from './store.ts'

type Item = Record<string, AttributeValue>

/**
 * The format of an item. During an upgrade and a rollback releases share a table, so a later format must keep, with their
 * meaning: `pk` and `sk`; `v`, its own number; `version`, another text at every write; `expiresAt` and `keepUntil` (ms).
 * Attributes may be added without a new number: a release drops those that it does not know when it writes.
 */
const FORMAT = 1
const SORT_KEY = 'record'
/** How long an item is kept after its last use: DynamoDB deletes by its own clock, and by whole seconds. */
const TTL_MARGIN_MS = 3600_000

const EXPIRED = 'v = :v AND expiresAt <= :now'
const NOT_KEPT = 'NOT v = :v AND (attribute_not_exists(keepUntil) OR keepUntil <= :now)'
const ABSENT = `attribute_not_exists(pk) OR (${EXPIRED}) OR (${NOT_KEPT})`
const UNCHANGED = 'v = :v AND version = :expectedVersion AND expiresAt > :now'

export interface DynamodbStoreParts {
  client: DynamoDBClient
  table: string
  clock: Clock
}

/**
 * Returns a store that all instances share: a DynamoDB table with the keys `pk` and `sk` (strings) and the TTL attribute
 * `ttl`. Reads are consistent; expiry goes by the clock, because DynamoDB returns expired items for days. Encrypts nothing.
 * Rejects with `temporarily_unavailable` if the table does not answer, and with `UnreadableRecord` for an item of a format
 * that this release does not know, until its `keepUntil`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export function createDynamodbStore({ client, table, clock }: DynamodbStoreParts): Store {
  let hasAnswered = false

  async function send<Reply>(call: Promise<Reply>): Promise<Reply> {
    try {
      const reply = await call
      hasAnswered = true
      return reply
    } catch (cause) {
      if (cause instanceof ConditionalCheckFailedException) throw cause
      throw await asStoreFailure(cause, { client, table })
    }
  }

  async function getItem(key: string): Promise<Item | undefined> {
    const Key = { pk: { S: key }, sk: { S: SORT_KEY } }
    const { Item } = await send(
      client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true })),
    )
    return Item
  }

  async function putItem(write: RecordWrite, version: string): Promise<'written' | 'conflict'> {
    const { expectedVersion } = write
    const values = { ':v': numberValue(FORMAT), ':now': numberValue(clock.now()) }
    const command = new PutItemCommand({
      TableName: table,
      Item: createItem(write, version),
      ConditionExpression: expectedVersion === 'absent' ? ABSENT : UNCHANGED,
      ExpressionAttributeValues:
        expectedVersion === 'absent' ? values : { ...values, ':expectedVersion': { S: expectedVersion } },
    })
    try {
      await send(client.send(command))
      return 'written'
    } catch (cause) {
      if (cause instanceof ConditionalCheckFailedException) return 'conflict'
      throw cause
    }
  }

  return {
    async read(key) {
      const item = await getItem(key)
      return item && parseItem(item, { key, now: clock.now() })
    },
    async compareAndSwap(write) {
      const { key } = write
      // a clock that is ahead would take a live record for expired: the Date of a first reply corrects it beforehand
      if (!hasAnswered) await getItem(key)
      const version = randomBytes(16).toString('base64url')
      if ((await putItem(write, version)) === 'written') return version
      const item = await getItem(key)
      // the first attempt was written, its reply was lost, and the SDK's retry met that very write
      if (item?.version?.S === version) return version
      if (item) parseItem(item, { key, now: clock.now() })
      return 'conflict'
    },
  }
}

function createItem({ key, bytes, expiresAt, keepUntil }: RecordWrite, version: string): Item {
  const deletableAt = Math.max(expiresAt, keepUntil ?? 0) + TTL_MARGIN_MS
  return {
    pk: { S: key },
    sk: { S: SORT_KEY },
    v: numberValue(FORMAT),
    version: { S: version },
    bytes: { B: bytes },
    expiresAt: numberValue(expiresAt),
    ttl: numberValue(Math.ceil(deletableAt / 1000)),
    ...(keepUntil === undefined ? {} : { keepUntil: numberValue(keepUntil) }),
  }
}

/**
 * Returns the record of an item, or undefined if the item counts as absent at `now`. Throws `UnreadableRecord` for an item
 * that cannot be read and must not be overwritten. Must agree with the conditions above.
 */
function parseItem(item: Item, { key, now }: { key: string; now: number }): StoredRecord | undefined {
  const format = Number(item.v?.N)
  if (format !== FORMAT) {
    const keepUntil = Number(item.keepUntil?.N ?? 0)
    if (keepUntil <= now) return undefined
    const why = `it has the format ${format} of a newer release of jeton; upgrade this instance`
    throw new UnreadableRecord({ key, why, keepUntil })
  }
  if (Number(item.expiresAt?.N) <= now) return undefined
  const bytes = item.bytes?.B
  const version = item.version?.S
  if (!bytes || !version) throw new UnreadableRecord({ key, why: 'parts of it are missing; delete the item' })
  return { bytes, version }
}

const numberValue = (value: number): AttributeValue => ({ N: String(value) })
