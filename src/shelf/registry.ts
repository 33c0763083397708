import type { Clock } from '../clock.ts'
import type { DynamodbStoreConfig, StoreConfig } from '../config/config.ts'
import type { Health } from '../health.ts'
import type { Log } from '../log.ts'
import { fileKeyring } from './file-keys.ts'
import type { Keyring } from './keyring.ts'
import { memoryShelf } from './memory.ts'
import { sealedShelf } from './sealed.ts'
import type { Shelf } from './shelf.ts'
import { type StoreCall, steadyShelf } from './steady.ts'

const WARN_EACH_MS = 60_000

export interface StoreParts {
  clock: Clock
  health: Health
  log: Log
  metrics: StoreMetrics
}

/** What the store tells the metrics. */
export interface StoreMetrics {
  storeCalled(call: StoreCall): void
  /** Told of each refusal because of a record that this instance cannot open. */
  storeUnreadable(): void
}

/** The two faces of one store. */
export interface Shelves {
  /** For what is no secret: turns, failures of roles. */
  readonly open: Shelf
  /** For tokens. */
  readonly sealed: Shelf
}

/** A new kind of store is a case here. What it needs of the AWS SDK is loaded only where it is configured. */
export async function openShelves(store: StoreConfig, parts: StoreParts): Promise<Shelves> {
  if (store.type === 'dynamodb') return dynamodbShelves(store, parts)
  const shelf = memoryShelf(parts.clock)
  return { open: shelf, sealed: shelf }
}

async function dynamodbShelves(store: DynamodbStoreConfig, parts: StoreParts): Promise<Shelves> {
  const { clock, health, log, metrics } = parts
  const { table, region } = store
  const [{ dynamodbClient }, { dynamodbShelf }] = await Promise.all([
    import('../aws/dynamodb.ts'),
    import('./dynamodb.ts'),
  ])
  const client = dynamodbClient({ clock, ...(region !== undefined && { region }) })
  const inner = dynamodbShelf({ client, table, clock })
  const open = steadyShelf(inner, { clock, health, log, onCalled: metrics.storeCalled })
  const warn = warnNowAndThen(parts)
  const keyring = await openKeyring(store, { shelf: open, clock, health, log })
  return {
    open,
    sealed: sealedShelf(open, {
      keyring,
      clock,
      onUnreadable(record) {
        metrics.storeUnreadable()
        warn(record)
      },
    }),
  }
}

/** Instances with different keys come upon each other's records with every request. */
function warnNowAndThen({ clock, log }: StoreParts) {
  let warnedAt = Number.NEGATIVE_INFINITY
  return ({ key, why }: { key: string; why: string }) => {
    if (Math.abs(clock.now() - warnedAt) < WARN_EACH_MS) return
    warnedAt = clock.now()
    log.warn(
      { event: 'record_unreadable', record: key, why },
      'a record of the store cannot be opened; it is left alone while it is of use',
    )
  }
}

async function openKeyring(
  { table, region, encryption }: DynamodbStoreConfig,
  { shelf, clock, health, log }: { shelf: Shelf } & Omit<StoreParts, 'metrics'>,
): Promise<Keyring> {
  if (encryption.type === 'files') return fileKeyring(encryption.keys)
  const [{ awsKms }, { kmsKeyring }] = await Promise.all([import('../aws/kms.ts'), import('./kms-keys.ts')])
  const { kmsKeyId } = encryption
  const kms = awsKms({ kmsKeyId, table, clock, log, ...(region !== undefined && { region }) })
  return kmsKeyring({ kms, kmsKeyId, shelf, clock, log, health })
}
