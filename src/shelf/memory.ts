import type { Clock } from '../clock.ts'
import type { Shelf } from './shelf.ts'

/** Below this many records a sweep is not worth its while. */
const SMALLEST_SWEEP = 1000

/** A shelf in this process alone: what stands on it is shared with nobody and gone at a restart. */
export function memoryShelf(clock: Clock): Shelf {
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

  return {
    async read(key) {
      const record = live(key)
      return record && { bytes: Uint8Array.from(record.bytes), version: record.version }
    },
    async swap({ key, bytes, was, expiresAt }) {
      if ((live(key)?.version ?? 'absent') !== was) return 'conflict'
      const version = String(++versions)
      records.set(key, { bytes: Uint8Array.from(bytes), version, expiresAt })
      if (records.size > sweepAt) sweep()
      return version
    },
  }
}
