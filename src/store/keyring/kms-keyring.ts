import { asJetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import { sha256Hex } from '../../lib/hash.ts'
import { DAY_MS, isoDay } from '../../lib/iso-time.ts'
import type { Health } from '../../telemetry/health.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Store } from '../store.ts'
import { createDataKeys } from './data-keys.ts'
import { guardKms } from './guarded-kms.ts'
import type { DataKey, Keyring } from './keyring.ts'
import type { Kms } from './kms.ts'

const KEY_ID = /^data-key\/[0-9a-f]{12}\/\d{4}-\d{2}-\d{2}$/

export interface KmsKeyringParts {
  kms: Kms
  /** As configured: instances share data keys if this is the same text. */
  kmsKeyId: string
  /** Holds the data keys, encrypted by KMS: not an encrypted store. */
  store: Store
  clock: Clock
  log: Log
  health: Health
}

/**
 * Returns a keyring with one data key for the whole fleet and each UTC day. The first instance that needs it lets KMS
 * generate it, and shares it through the store:
 *
 *     instance A   read data-key/…/2026-11-23: absent ── KMS generates ── compare-and-swap ── uses its own key
 *     instance B   read data-key/…/2026-11-23: absent ── KMS generates ── conflict ── read ── KMS decrypts A's key
 *
 * A key's id is the key of its record, so every instance finds any of them, whatever day its own clock has. While today's key
 * is not available, the previous day's stays in use: keys stay in memory.
 */
export function createKmsKeyring(parts: KmsKeyringParts): Keyring {
  const { kmsKeyId, store, clock, log, health } = parts
  const kms = guardKms(parts.kms, { clock, log, health })
  const dataKeys = createDataKeys({ kms, store, clock })
  const idPrefix = `data-key/${sha256Hex(kmsKeyId).slice(0, 12)}`
  let hasCurrentKey = true
  let hasWarned = false

  const keyId = (ms: number) => `${idPrefix}/${isoDay(ms)}`

  function report(ok: boolean): void {
    if (ok !== hasCurrentKey) health.report('store', { ok, of: 'data key' })
    hasCurrentKey = ok
    if (ok) hasWarned = false
  }

  async function obtain(id: string): Promise<DataKey> {
    try {
      const key = await dataKeys.findOrCreate(id)
      report(true)
      return key
    } catch (cause) {
      report(false)
      throw cause
    }
  }

  function fallBackOn(previousKey: DataKey, reason: string | undefined): DataKey {
    if (!hasWarned)
      log.warn(
        { event: 'data_key_outdated', key: previousKey.id, reason },
        "today's data key is not available; encrypting with the previous day's until it is",
      )
    hasWarned = true
    return previousKey
  }

  return {
    async encryptionKey() {
      const now = clock.now()
      const currentKey = dataKeys.get(keyId(now))
      if (currentKey) {
        report(true)
        return currentKey
      }
      const previousKey = dataKeys.get(keyId(now - DAY_MS))
      const obtaining = obtain(keyId(now))
      // while KMS fails and there is a key to use, no caller waits for it
      if (previousKey && kms.isFailing()) {
        obtaining.catch(() => undefined)
        return fallBackOn(previousKey, 'KMS fails')
      }
      try {
        return await obtaining
      } catch (cause) {
        if (!previousKey) throw cause
        return fallBackOn(previousKey, asJetonError(cause).reason)
      }
    },
    async decryptionKey(id) {
      const key = dataKeys.get(id)
      if (key) return key
      return KEY_ID.test(id) ? dataKeys.find(id) : undefined
    },
  }
}
