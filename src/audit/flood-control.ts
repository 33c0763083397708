import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ipNetwork } from '../lib/ip-network.ts'
import { createLogThrottle } from '../lib/log-throttle.ts'
import { getOrCreate } from '../lib/maps.ts'
import type { AuditRecord } from './record.ts'

/** How many records of one source are written one by one in each window; those beyond are counted. */
export const INDIVIDUAL_LIMIT = 100
const WINDOW_MS = 60_000
const MAX_SOURCES = 10_000
const REPORT_INTERVAL_MS = 10_000

/** Keeps a flood of refusals from one source out of the audit log: beyond 100 a minute they are counted. */
export interface FloodControl {
  /** Writes the record or counts it. `now` in milliseconds. */
  record(record: AuditRecord, now: number): void
  /** Writes the counting records of windows that are over. Costs little if there are none: call it on every request. */
  closeWindows(now: number): void
  /** Writes the counts so far, every 10 s at most: for a process that may freeze before its windows close. */
  report(now: number): void
  /** Writes all counts so far. */
  flush(): void
}

interface Window {
  readonly endsAt: number
  individual: number
  /** By code. */
  readonly counting: Map<string, CountingRecord>
}

type CountingRecord = { -readonly [Field in keyof AuditRecord]: AuditRecord[Field] } & { count: number }

/**
 * A source is a decision and an address, an IPv6 address by its /64, which is all one host's. There is a counting record
 * for each code. 10,000 sources are remembered; the counts of one that is evicted are written.
 */
export function createFloodControl(write: (record: AuditRecord) => void): FloodControl {
  const windows = new LRUCache<string, Window>({
    max: MAX_SOURCES,
    dispose: ({ counting }) => {
      for (const record of counting.values()) write(record)
    },
  })
  let nextEndsAt = Number.POSITIVE_INFINITY
  const reports = createLogThrottle(REPORT_INTERVAL_MS)
  let hasUnreported = false

  function windowOf(record: AuditRecord, now: number): Window {
    const source = `${record.decision} ${ipNetwork(record.sourceIp ?? '')}`
    const current = windows.get(source)
    if (current && now < current.endsAt) return current
    const next = { endsAt: now + WINDOW_MS, individual: 0, counting: new Map() }
    windows.set(source, next)
    return next
  }

  return {
    record(record, now) {
      const window = windowOf(record, now)
      if (window.individual < INDIVIDUAL_LIMIT) {
        window.individual++
        return write(record)
      }
      nextEndsAt = Math.min(nextEndsAt, window.endsAt)
      hasUnreported = true
      const counting = getOrCreate(window.counting, {
        key: record.code ?? '',
        create: () => createCountingRecord(record),
      })
      counting.count++
      counting.time = record.time
    },
    closeWindows(now) {
      if (now < nextEndsAt) return
      nextEndsAt = Number.POSITIVE_INFINITY
      for (const [source, window] of [...windows.entries()]) {
        if (now >= window.endsAt) windows.delete(source)
        else if (window.counting.size > 0) nextEndsAt = Math.min(nextEndsAt, window.endsAt)
      }
    },
    report(now) {
      if (!hasUnreported || !reports.admit(now)) return
      hasUnreported = false
      for (const { counting } of windows.values()) {
        for (const record of counting.values()) write(record)
        counting.clear()
      }
    },
    flush() {
      windows.clear()
      nextEndsAt = Number.POSITIVE_INFINITY
    },
  }
}

/** Returns a record of what the counted ones have in common: their source and how they ended. */
function createCountingRecord({ time, decision, code, sourceIp, instance }: AuditRecord): CountingRecord {
  const reason = 'a flood from one source: counted, not written one by one'
  return { id: randomUUID(), time, decision, code, reason, sourceIp, instance, count: 0, since: time }
}
