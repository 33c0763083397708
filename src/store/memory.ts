import type { Clock } from '../lib/clock.ts'
import type { EncryptedStore, Store, StoredRecord } from './store.ts'

/** With fewer records than this, removing those that have expired is not worth its time. */
const MIN_RECORDS_TO_SWEEP = 1000

/**
 * Returns a store that keeps records in this process alone: no other instance sees them, and a restart loses them. It counts
 * as encrypted, because nothing leaves the process.
 */
export function createMemoryStore(clock: Clock): EncryptedStore {
  const records = new Map<string, StoredRecord & { readonly expiresAt: number }>()
  let lastVersion = 0
  let sweepAbove = MIN_RECORDS_TO_SWEEP

  function getUnexpired(key: string): StoredRecord | undefined {
    const record = records.get(key)
    return record && record.expiresAt > clock.now() ? record : undefined
  }

  function sweep(): void {
    for (const [key, { expiresAt }] of records) if (expiresAt <= clock.now()) records.delete(key)
    sweepAbove = Math.max(MIN_RECORDS_TO_SWEEP, records.size * 2)
  }

  const store: Store = {
    async read(key) {
      const record = getUnexpired(key)
      return record && { bytes: Uint8Array.from(record.bytes), version: record.version }
    },
    async compareAndSwap({ key, bytes, expectedVersion, expiresAt }) {
      if ((getUnexpired(key)?.version ?? 'absent') !== expectedVersion) return 'conflict'
      const version = String(++lastVersion)
      records.set(key, { bytes: Uint8Array.from(bytes), version, expiresAt })
      if (records.size > sweepAbove) sweep()
      return version
    },
  }
  return Object.freeze(store) as EncryptedStore
}
