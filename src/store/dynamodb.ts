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
import { createPatience, type Patience } from './patience.ts'
import { MAX_KEPT_AHEAD_MS, MAX_LIFE_MS, UnreadableRecord } from './record-format.ts'
import type { RecordWrite, Store, StoredRecord } from './store.ts'

type Item = Record<string, AttributeValue>

/**
 * The format of an item. During an upgrade and a rollback releases share a table, so a later format must keep, with their
 * meaning: `pk` and `sk`; `v`, its own number; `version`, another text at every write; `expiresAt` and `keepUntil` (ms).
 * Attributes may be added without a new number: a release drops those that it does not know when it writes. Somebody may
 * write items that no release writes: each is a record, or kept for 16 s at most, or counts as absent.
 */
const FORMAT = '1'
const SORT_KEY = 'record'
/** How long an item is kept after its last use: DynamoDB deletes by its own clock, and by whole seconds. */
const TTL_MARGIN_MS = 3600_000

const IN_TIME = 'expiresAt > :now AND expiresAt <= :lastExpiry'
/** A comparison with a value of another type, or with none, is false; so is this one for a value without a byte. */
const WELL_FORMED = 'bytes >= :leastBytes AND version >= :leastText AND version <> :absent'
const IS_RECORD = `v = :v AND ${IN_TIME} AND ${WELL_FORMED}`
const IS_KEPT = 'NOT v = :v AND keepUntil > :now AND keepUntil <= :lastKept'
const IS_ABSENT = `NOT (${IS_RECORD}) AND NOT (${IS_KEPT})`
const IS_UNCHANGED = `${IS_RECORD} AND version = :expectedVersion`

export interface DynamodbStoreParts {
  client: DynamoDBClient
  table: string
  clock: Clock
  /** Its own unless given. */
  patience?: Patience
}

/**
 * Returns a store that all instances share: a DynamoDB table with the keys `pk` and `sk` (strings) and the TTL attribute
 * `ttl`. Reads are consistent; expiry goes by the clock, because DynamoDB returns expired items for days. Encrypts nothing.
 * Rejects with `temporarily_unavailable` if the table does not answer, and with `UnreadableRecord` for an item of a format
 * that this release does not know, until its `keepUntil`, 16 s at most.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export function createDynamodbStore(parts: DynamodbStoreParts): Store {
  const { client, table, clock, patience = createPatience(clock) } = parts
  let hasAnswered = false

  async function send<Reply>(call: Promise<Reply>): Promise<Reply> {
    try {
      const reply = await call
      hasAnswered = true
      return reply
    } catch (cause) {
      if (isConflict(cause)) throw cause
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
    const command = new PutItemCommand({
      TableName: table,
      Item: createItem(write, version),
      ...condition(write, { now: clock.now(), isImpatient: patience.isUsedUp(write.key) }),
    })
    try {
      await send(client.send(command))
      return 'written'
    } catch (cause) {
      if (isConflict(cause)) return 'conflict'
      throw cause
    }
  }

  return {
    async read(key) {
      const item = await getItem(key)
      return item && parseItem(item, { key, now: clock.now(), patience })
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
      if (item) parseItem(item, { key, now: clock.now(), patience })
      return 'conflict'
    },
  }
}

function createItem({ key, bytes, expiresAt, keepUntil }: RecordWrite, version: string): Item {
  const deletableAt = Math.max(expiresAt, keepUntil ?? 0) + TTL_MARGIN_MS
  return {
    pk: { S: key },
    sk: { S: SORT_KEY },
    v: { N: FORMAT },
    version: { S: version },
    bytes: { B: bytes },
    expiresAt: numberValue(expiresAt),
    ttl: numberValue(Math.ceil(deletableAt / 1000)),
    ...(keepUntil === undefined ? {} : { keepUntil: numberValue(keepUntil) }),
  }
}

/** Another write came first, or one is under way at this moment. */
function isConflict(cause: unknown): boolean {
  return (
    cause instanceof ConditionalCheckFailedException ||
    (cause instanceof Error && cause.name === 'TransactionConflictException')
  )
}

/** Returns the condition of a write: the record is the expected one, or there is none and nothing that is kept. */
function condition(
  { expectedVersion }: RecordWrite,
  { now, isImpatient }: { now: number; isImpatient: boolean },
) {
  const values = {
    ':v': { N: FORMAT },
    ':now': numberValue(now),
    ':lastExpiry': numberValue(now + MAX_LIFE_MS),
    ':leastBytes': { B: Uint8Array.of(0) },
    ':leastText': { S: '\0' },
    ':absent': { S: 'absent' },
  }
  if (expectedVersion !== 'absent')
    return {
      ConditionExpression: IS_UNCHANGED,
      ExpressionAttributeValues: { ...values, ':expectedVersion': { S: expectedVersion } },
    }
  // with 0, nothing is kept
  const lastKept = isImpatient ? 0 : now + MAX_KEPT_AHEAD_MS
  return {
    ConditionExpression: IS_ABSENT,
    ExpressionAttributeValues: { ...values, ':lastKept': numberValue(lastKept) },
  }
}

/**
 * Returns the record of an item, or undefined if the item counts as absent at `now`. Throws `UnreadableRecord` for an item
 * that cannot be read and must not be overwritten. Must agree with the conditions above: what is read as absent, and cannot
 * be written as absent, could never be written again. So `v` is compared as DynamoDB does, with all of its digits.
 */
function parseItem(
  { v, expiresAt, keepUntil, version, bytes }: Item,
  { key, now, patience }: { key: string; now: number; patience: Patience },
): StoredRecord | undefined {
  if (v?.N !== FORMAT) {
    const kept = Number(keepUntil?.N)
    if (!patience.leavesAlone(key, kept)) return undefined
    const why = 'a newer release of jeton wrote it in another format; upgrade this instance'
    throw new UnreadableRecord({ key, why, keepUntil: kept })
  }
  const end = Number(expiresAt?.N)
  if (!(end > now && end <= now + MAX_LIFE_MS)) return undefined
  if (!bytes?.B?.length || !version?.S || version.S === 'absent') return undefined
  return { bytes: bytes.B, version: version.S }
}

const numberValue = (value: number): AttributeValue => ({ N: String(value) })
