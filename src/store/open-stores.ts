import type { DynamodbStoreConfig, StoreConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { StoreMetrics } from '../telemetry/metrics.ts'
import { encryptStore } from './encrypted-store.ts'
import { guardStore } from './guarded-store.ts'
import { createFileKeyring } from './keyring/file-keyring.ts'
import type { Keyring } from './keyring/keyring.ts'
import { createMemoryStore } from './memory.ts'
import type { EncryptedStore, Store } from './store.ts'

const WARN_EACH_MS = 60_000

export interface StoreParts {
  clock: Clock
  health: Health
  log: Log
  metrics: StoreMetrics
}

/** The two faces of one store. */
export interface Stores {
  /** For what is no secret: turns, failures of roles. */
  readonly plain: Store
  /** For tokens. */
  readonly encrypted: EncryptedStore
}

/** A new kind of store is a case here. What it needs of the AWS SDK is loaded only where it is configured. */
export async function openStores(config: StoreConfig, parts: StoreParts): Promise<Stores> {
  if (config.type === 'dynamodb') return openDynamodbStores(config, parts)
  const store = createMemoryStore(parts.clock)
  return { plain: store, encrypted: store }
}

async function openDynamodbStores(config: DynamodbStoreConfig, parts: StoreParts): Promise<Stores> {
  const { clock, health, log, metrics } = parts
  const { table, region } = config
  const [{ createDynamodbClient }, { createDynamodbStore }] = await Promise.all([
    import('../aws/dynamodb.ts'),
    import('./dynamodb.ts'),
  ])
  const client = createDynamodbClient({ clock, ...(region !== undefined && { region }) })
  const inner = createDynamodbStore({ client, table, clock })
  const plain = guardStore(inner, { clock, health, log, onCalled: metrics.storeCalled })
  const warn = warnNowAndThen(parts)
  const keyring = await openKeyring(config, { store: plain, clock, health, log })
  return {
    plain,
    encrypted: encryptStore(plain, {
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
  { store, clock, health, log }: { store: Store } & Omit<StoreParts, 'metrics'>,
): Promise<Keyring> {
  if (encryption.type === 'files') return createFileKeyring(encryption.keys)
  const [{ createAwsKms }, { createKmsKeyring }] = await Promise.all([
    import('../aws/kms-client.ts'),
    import('./keyring/kms-keyring.ts'),
  ])
  const { kmsKeyId } = encryption
  const kms = createAwsKms({ kmsKeyId, table, clock, log, ...(region !== undefined && { region }) })
  return createKmsKeyring({ kms, kmsKeyId, store, clock, log, health })
}
