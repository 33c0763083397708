import { getOrCreate } from '../lib/maps.ts'
import type { FloodLimit } from './flood-limits.ts'

/** What groups of callers have written of their limits in one window. Remembers only those that have written something. */
export interface FloodUsage {
  /** Returns the first of the limits that one more record of so many bytes would exceed; -1 if none. */
  findExceeded(limits: readonly FloodLimit[], bytes: number): number
  /** Adds records that were written, and their bytes, to what the groups of the limits have used. */
  add(limits: readonly FloodLimit[], written: { records: number; bytes: number }): void
}

/** Returns a usage of nothing. */
export function createFloodUsage(): FloodUsage {
  const used = new Map<string, { records: number; bytes: number }>()

  function isExceeded(limit: FloodLimit, bytes: number): boolean {
    const usage = used.get(usageKey(limit))
    if (usage === undefined) return false
    const { maxRecords = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = limit
    return usage.records >= maxRecords || usage.bytes + bytes > maxBytes
  }

  return {
    findExceeded: (limits, bytes) => limits.findIndex(limit => isExceeded(limit, bytes)),
    add(limits, { records, bytes }) {
      for (const limit of limits) {
        const usage = getOrCreate(used, { key: usageKey(limit), create: () => ({ records: 0, bytes: 0 }) })
        usage.records += records
        usage.bytes += bytes
      }
    },
  }
}

/** Returns the name of a limit's group among all groups. */
export function usageKey({ of, group }: FloodLimit): string {
  return `${of} ${group}`
}
