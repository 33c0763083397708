import type { DynamodbStoreConfig, StoreConfig } from '../config/config.ts'
import type { BackgroundTasks } from '../lib/background-tasks.ts'
import type { Clock } from '../lib/clock.ts'
import { createLogThrottle } from '../lib/log-throttle.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { StoreMetrics } from '../telemetry/metrics.ts'
import { encryptStore } from './encrypted-store.ts'
import { guardStore } from './guarded-store.ts'
import { createFileKeyring } from './keyring/file-keyring.ts'
import type { Keyring } from './keyring/keyring.ts'
import { createMemoryStore } from './memory.ts'
import { createPatience } from './patience.ts'
import type { EncryptedStore, Store } from './store.ts'

export interface OpenStoreParts {
  clock: Clock
  health: Health
  log: Log
  metrics: StoreMetrics
  backgroundTasks: BackgroundTasks
}

/**
 * Returns the store of the configured kind; a new kind is a case here. It is for all that instances share: tokens are secret,
 * and forged slots or role failures would deny them. Parts of the AWS SDK are loaded only if they are needed. Does not call
 * the store: jeton starts even if it cannot be reached.
 */
export async function openStore(config: StoreConfig, parts: OpenStoreParts): Promise<EncryptedStore> {
  return config.type === 'dynamodb' ? openDynamodbStore(config, parts) : createMemoryStore(parts.clock)
}

async function openDynamodbStore(
  config: DynamodbStoreConfig,
  parts: OpenStoreParts,
): Promise<EncryptedStore> {
  const { clock, health, log, metrics, backgroundTasks } = parts
  const { table, region } = config
  const [{ createDynamodbClient }, { createDynamodbStore }] = await Promise.all([
    import('../aws/dynamodb.ts'),
    import('./dynamodb.ts'),
  ])
  const client = createDynamodbClient({ clock, region })
  const patience = createPatience(clock)
  const dynamodbStore = createDynamodbStore({ client, table, clock, patience })
  const plain = guardStore(dynamodbStore, { clock, health, log, onCalled: metrics.onStoreCalled })
  const keyring = await openKeyring(config, { dataKeyStore: plain, clock, health, log, backgroundTasks })
  const warn = createUnreadableWarning({ clock, log })
  return encryptStore(plain, {
    keyring,
    clock,
    patience,
    onUnreadable(record) {
      metrics.onRecordUnreadable()
      warn(record)
    },
  })
}

/** Logs once a minute at most: instances with different keys read each other's records in every request. */
function createUnreadableWarning({ clock, log }: { clock: Clock; log: Log }) {
  const throttle = createLogThrottle()
  return ({ key, why }: { key: string; why: string }) => {
    if (!throttle.admit(clock.now())) return
    log.warn(
      { event: 'record_unreadable', record: key, why },
      'a record of the store cannot be decrypted; it is left alone for 16 s at most, then overwritten',
    )
  }
}

interface KeyringParts {
  /** Need not encrypt: KMS has encrypted the data keys. */
  dataKeyStore: Store
  clock: Clock
  health: Health
  log: Log
  backgroundTasks: BackgroundTasks
}

async function openKeyring(
  { table, region, encryption }: DynamodbStoreConfig,
  { dataKeyStore, clock, health, log, backgroundTasks }: KeyringParts,
): Promise<Keyring> {
  if (encryption.type === 'files') return createFileKeyring(encryption.keys)
  const [{ createAwsKms }, { createKmsKeyring }] = await Promise.all([
    import('./keyring/aws-kms.ts'),
    import('./keyring/kms-keyring.ts'),
  ])
  const { kmsKeyId } = encryption
  const kms = createAwsKms({ kmsKeyId, table, region, clock, log })
  return createKmsKeyring({ kms, kmsKeyId, store: dataKeyStore, clock, log, health, backgroundTasks })
}
