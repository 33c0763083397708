import { randomBytes } from 'node:crypto'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { awsErrorFacts } from '../../aws/error-facts.ts'
import { describeFailedCall } from '../../aws/errors.ts'
import type { TableConfig } from '../../config/config.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'
import { failed, type LiveCheck, type LiveResult, ok, warning } from './live-check.ts'

/** The key of a record that no release writes. */
const RECORD_KEY = 'check/live'
const TTL_ATTRIBUTE = 'ttl'
const MINUTE_MS = 60_000
const ACCESS_DENIED = 'AccessDeniedException'
const UNKNOWN_EXPIRY_REMEDIES = new Map([
  [
    ACCESS_DENIED,
    `jeton itself never calls dynamodb:DescribeTimeToLive, so its role need not have it; it should be \`${TTL_ATTRIBUTE}\``,
  ],
  ['ResourceNotFoundException', 'there is no such table in that region'],
])

/** Opens a client for the region of a table. */
export async function openTableClient({ region }: TableConfig, clock: Clock): Promise<DynamoDBClient> {
  const { createDynamodbClient } = await import('../../aws/dynamodb.ts')
  return createDynamodbClient({ clock, region })
}

/** Opens the store of a table as serving does, without what retries, guards or encrypts. */
export async function openPlainStore(config: TableConfig, clock: Clock): Promise<Store> {
  const [client, { createDynamodbStore }] = await Promise.all([
    openTableClient(config, clock),
    import('../../store/dynamodb.ts'),
  ])
  return createDynamodbStore({ client, table: config.table, clock })
}

/** Returns the checks of a store's table: a read, a conditional write, and by what its items expire. */
export function storeTableChecks(config: TableConfig, clock: Clock): LiveCheck[] {
  return [
    { what: `store table ${config.table}`, run: () => readAndWrite(config, clock) },
    expiryCheck(`store table ${config.table}: TTL`, { config, clock }),
  ]
}

/** Expects a version that no record has, so that the table refuses the write; it refuses one that is not allowed before that. */
async function readAndWrite(config: TableConfig, clock: Clock): Promise<LiveResult> {
  const store = await openPlainStore(config, clock)
  await store.read(RECORD_KEY)
  const outcome = await store.compareAndSwap({
    key: RECORD_KEY,
    bytes: randomBytes(16),
    expectedVersion: randomBytes(16).toString('base64url'),
    expiresAt: clock.now() + MINUTE_MS,
  })
  if (outcome === 'conflict') return ok('may be read, and written to on a condition; nothing was written')
  return failed(
    'a write on a condition that does not hold was taken: this is not a DynamoDB that jeton can share',
  )
}

/** Returns the check of the attribute by which a table's items expire, as far as the role may ask. jeton does not rely on it. */
export function expiryCheck(
  what: string,
  { config, clock }: { config: TableConfig; clock: Clock },
): LiveCheck {
  async function run(): Promise<LiveResult> {
    const [client, { findExpiryAttribute }] = await Promise.all([
      openTableClient(config, clock),
      import('../../aws/time-to-live.ts'),
    ])
    const found = await findExpiryAttribute(client, config.table).then(
      attribute => ({ attribute }),
      cause => ({ cause }),
    )
    if ('cause' in found) return describeUnknownExpiry(found.cause, client)
    if (found.attribute === TTL_ATTRIBUTE) return ok(`items expire by \`${TTL_ATTRIBUTE}\``)
    const now = found.attribute === undefined ? 'off' : 'another attribute'
    return warning(`is ${now}, so the table grows for ever: set it to \`${TTL_ATTRIBUTE}\``)
  }
  return { what, run }
}

/** A role that serves well need not be allowed to ask. */
async function describeUnknownExpiry(cause: unknown, client: DynamoDBClient): Promise<LiveResult> {
  const text = await describeFailedCall(cause, {
    client,
    summary: 'not known: it cannot be asked for',
    remedies: UNKNOWN_EXPIRY_REMEDIES,
  })
  return awsErrorFacts(cause).name === ACCESS_DENIED ? ok(text) : warning(text)
}
