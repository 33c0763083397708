import { randomBytes } from 'node:crypto'
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { Clock } from '../lib/clock.ts'
import { dynamodbFailure } from './dynamodb-failure.ts'
import type { RecordWrite, Store, StoredRecord } from './store.ts'
import { unreadableRecord } from './unreadable-record.ts'

type Item = Record<string, AttributeValue>

/**
 * The format of an item. During an upgrade and a rollback releases share a table, so a later format must keep, with their
 * meaning: `pk` and `sk`; `v`, its own number; `version`, another text at every write; `expiresAt` and `keepUntil` (ms).
 * Attributes may be added without a new number: a release drops those that it does not know when it writes.
 */
const FORMAT = 1
const SORT_KEY = 'record'
/** DynamoDB deletes by its own clock and in whole seconds; this much later a record is surely of no use to anyone. */
const TTL_SLACK_MS = 3600_000

const EXPIRED = 'v = :v AND expiresAt <= :now'
const NOT_KEPT = 'NOT v = :v AND (attribute_not_exists(keepUntil) OR keepUntil <= :now)'
const ABSENT = `attribute_not_exists(pk) OR (${EXPIRED}) OR (${NOT_KEPT})`
const UNCHANGED = 'v = :v AND version = :was AND expiresAt > :now'

export interface DynamodbStoreParts {
  client: DynamoDBClient
  table: string
  clock: Clock
}

/**
 * A store that all instances share: a DynamoDB table with the keys `pk` and `sk` (strings) and the TTL attribute `ttl`. Reads
 * are consistent. DynamoDB goes on returning expired items for days, so expiry is checked against the clock.
 * Rejects with `temporarily_unavailable` where the table does not answer, and as `unreadable` does where a record was written
 * in a format that this release does not know, until its `keepUntil`. Seals nothing: what is secret must come sealed.
 */
export function createDynamodbStore({ client, table, clock }: DynamodbStoreParts): Store {
  let answered = false

  async function send<Reply>(call: Promise<Reply>): Promise<Reply> {
    try {
      const reply = await call
      answered = true
      return reply
    } catch (cause) {
      if (cause instanceof ConditionalCheckFailedException) throw cause
      throw await dynamodbFailure(cause, { client, table })
    }
  }

  async function get(key: string): Promise<Item | undefined> {
    const Key = { pk: { S: key }, sk: { S: SORT_KEY } }
    const { Item } = await send(
      client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true })),
    )
    return Item
  }

  async function put(change: RecordWrite, version: string): Promise<'put' | 'conflict'> {
    const { expectedVersion } = change
    const values = { ':v': number(FORMAT), ':now': number(clock.now()) }
    const command = new PutItemCommand({
      TableName: table,
      Item: itemOf(change, version),
      ConditionExpression: expectedVersion === 'absent' ? ABSENT : UNCHANGED,
      ExpressionAttributeValues:
        expectedVersion === 'absent' ? values : { ...values, ':was': { S: expectedVersion } },
    })
    try {
      await send(client.send(command))
      return 'put'
    } catch (cause) {
      if (cause instanceof ConditionalCheckFailedException) return 'conflict'
      throw cause
    }
  }

  return {
    async read(key) {
      const item = await get(key)
      return item && live(item, { key, now: clock.now() })
    },
    async compareAndSwap(change) {
      const { key } = change
      // a clock that is ahead would take what is live for expired: the first reply's Date puts it right before it counts
      if (!answered) await get(key)
      const version = randomBytes(16).toString('base64url')
      if ((await put(change, version)) === 'put') return version
      const item = await get(key)
      // it failed because it had succeeded: the first attempt's reply was lost, and the SDK asked again
      if (item?.version?.S === version) return version
      if (item) live(item, { key, now: clock.now() })
      return 'conflict'
    },
  }
}

function itemOf({ key, bytes, expiresAt, keepUntil }: RecordWrite, version: string): Item {
  const uselessAt = Math.max(expiresAt, keepUntil ?? 0) + TTL_SLACK_MS
  return {
    pk: { S: key },
    sk: { S: SORT_KEY },
    v: number(FORMAT),
    version: { S: version },
    bytes: { B: bytes },
    expiresAt: number(expiresAt),
    ttl: number(Math.ceil(uselessAt / 1000)),
    ...(keepUntil === undefined ? {} : { keepUntil: number(keepUntil) }),
  }
}

/** What an item is worth at `now`; throws `unreadable` for what is somebody else's to read. Agrees with the conditions above. */
function live(item: Item, { key, now }: { key: string; now: number }): StoredRecord | undefined {
  const v = Number(item.v?.N)
  if (v !== FORMAT) {
    const keepUntil = Number(item.keepUntil?.N ?? 0)
    if (keepUntil <= now) return undefined
    const why = `it has the format ${v} of a newer release of jeton; upgrade this instance`
    throw unreadableRecord({ key, why, keepUntil })
  }
  if (Number(item.expiresAt?.N) <= now) return undefined
  const bytes = item.bytes?.B
  const version = item.version?.S
  if (!bytes || !version) throw unreadableRecord({ key, why: 'parts of it are missing; delete the item' })
  return { bytes, version }
}

const number = (value: number): AttributeValue => ({ N: String(value) })
