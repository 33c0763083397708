import type { DynamodbStoreConfig } from '../../config/config.ts'
import type { Clock } from '../../lib/clock.ts'
import { dataKeyPlace } from '../../store/keyring/data-key-id.ts'
import { decodeDataKey } from '../../store/keyring/data-key-record.ts'
import type { Kms } from '../../store/keyring/kms.ts'
import type { Log } from '../../telemetry/log.ts'
import { failed, type LiveCheck, type LiveResult, ok, warning } from './live-check.ts'
import { openPlainStore } from './tables.ts'

interface KmsKeyParts {
  clock: Clock
  log: Log
}

/**
 * Returns the check of the store's KMS key: a data key is generated and decrypted in the context of today's record, as
 * serving does, and kept nowhere; and the fleet's data key of today, if there is one, is decrypted.
 */
export function kmsKeyCheck(store: DynamodbStoreConfig, kmsKeyId: string, parts: KmsKeyParts): LiveCheck {
  return {
    what: `store key ${kmsKeyId}`,
    async run() {
      const { createAwsKms } = await import('../../store/keyring/aws-kms.ts')
      const { table, region } = store
      const kms = createAwsKms({ kmsKeyId, table, region, ...parts })
      const { recordKey } = dataKeyPlace(kmsKeyId, parts.clock.now())
      const { secret, encryptedKey } = await kms.generateDataKey(recordKey)
      const decrypted = await kms.decrypt(encryptedKey, recordKey)
      if (!decrypted || !Buffer.from(decrypted).equals(secret))
        return failed('generates a data key and does not decrypt it: the role needs kms:Decrypt on it, too')
      return tryTodaysKey({ store, recordKey, kms, clock: parts.clock })
    },
  }
}

async function tryTodaysKey({
  store,
  recordKey,
  kms,
  clock,
}: {
  store: DynamodbStoreConfig
  recordKey: string
  kms: Kms
  clock: Clock
}): Promise<LiveResult> {
  const works = 'generates and decrypts data keys'
  // a table that cannot be read has a check of its own
  const record = await openPlainStore(store, clock)
    .then(plain => plain.read(recordKey))
    .catch(() => undefined)
  if (!record) return ok(works)
  const encryptedKey = decodeDataKey(record.bytes)
  if (encryptedKey && (await kms.decrypt(encryptedKey, recordKey)))
    return ok(`${works}, and the fleet's of today`)
  return warning(
    `${works}, but cannot decrypt the fleet's of today: another key made it, or somebody else writes to the table; jeton would replace it, and instances with another key would not share its tokens`,
  )
}
