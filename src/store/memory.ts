import type { Clock } from '../lib/clock.ts'
import type { EncryptedStore, Store } from './store.ts'

/** Below this many records a sweep is not worth its while. */
const SMALLEST_SWEEP = 1000

/**
 * Keeps records in this process alone: shared with nobody, gone at a restart. It counts as encrypted, for nothing leaves
 * the process.
 */
export function createMemoryStore(clock: Clock): EncryptedStore {
  const records = new Map<string, { bytes: Uint8Array; version: string; expiresAt: number }>()
  let versions = 0
  let sweepAt = SMALLEST_SWEEP

  function live(key: string) {
    const record = records.get(key)
    return record && record.expiresAt > clock.now() ? record : undefined
  }

  function sweep() {
    for (const [key, { expiresAt }] of records) if (expiresAt <= clock.now()) records.delete(key)
    sweepAt = Math.max(SMALLEST_SWEEP, records.size * 2)
  }

  const store: Store = {
    async read(key) {
      const record = live(key)
      return record && { bytes: Uint8Array.from(record.bytes), version: record.version }
    },
    async compareAndSwap({ key, bytes, expectedVersion, expiresAt }) {
      if ((live(key)?.version ?? 'absent') !== expectedVersion) return 'conflict'
      const version = String(++versions)
      records.set(key, { bytes: Uint8Array.from(bytes), version, expiresAt })
      if (records.size > sweepAt) sweep()
      return version
    },
  }
  return store as EncryptedStore
}
