import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ipNetwork } from '../lib/ip-network.ts'
import type { AuditRecord } from './record.ts'

/** So many records of one source are written singly in each window; the rest is counted. */
export const INDIVIDUAL_LIMIT = 100
const WINDOW_MS = 60_000
const MOST_SOURCES = 10_000
const TELL_AGAIN_MS = 10_000

/** Keeps a flood of refusals from one source out of the log: what comes beyond the first hundred a minute is counted. */
export interface FloodControl {
  /** Writes the record, or counts it. `now` in milliseconds. */
  record(record: AuditRecord, now: number): void
  /** Writes the counting records of windows that are over. Costs nothing before one is. */
  closeWindows(now: number): void
  /** Writes what was counted so far, unless it did so within the last 10 s: for who may never come to sweep. */
  report(now: number): void
  /** Writes all that was counted so far. */
  flush(): void
}

interface Window {
  readonly endsAt: number
  singly: number
  readonly counted: Map<string, Counted>
}

type Counted = { -readonly [Field in keyof AuditRecord]: AuditRecord[Field] } & { count: number }

/**
 * Sources are told apart by decision and address, IPv6 ones by their /64 (one host has all of it). There is a counting
 * record for each code. Of the sources, 10,000 are remembered: what was counted of one that is forgotten is written.
 */
export function createFloodControl(write: (record: AuditRecord) => void): FloodControl {
  const windows = new LRUCache<string, Window>({
    max: MOST_SOURCES,
    dispose: ({ counted }) => {
      for (const record of counted.values()) write(record)
    },
  })
  let sweepAt = Number.POSITIVE_INFINITY
  let toldAt = Number.NEGATIVE_INFINITY
  let hasCounted = false

  function windowOf(record: AuditRecord, now: number): Window {
    const source = `${record.decision} ${ipNetwork(record.sourceIp ?? '')}`
    const known = windows.get(source)
    if (known && now < known.endsAt) return known
    const opened = { endsAt: now + WINDOW_MS, singly: 0, counted: new Map() }
    windows.set(source, opened)
    return opened
  }

  return {
    record(record, now) {
      const window = windowOf(record, now)
      if (window.singly < INDIVIDUAL_LIMIT) {
        window.singly++
        return write(record)
      }
      sweepAt = Math.min(sweepAt, window.endsAt)
      hasCounted = true
      const code = record.code ?? ''
      const counted = window.counted.get(code) ?? counting(record)
      counted.count++
      counted.time = record.time
      window.counted.set(code, counted)
    },
    closeWindows(now) {
      if (now < sweepAt) return
      sweepAt = Number.POSITIVE_INFINITY
      for (const [source, window] of [...windows.entries()]) {
        if (now >= window.endsAt) windows.delete(source)
        else if (window.counted.size > 0) sweepAt = Math.min(sweepAt, window.endsAt)
      }
    },
    report(now) {
      // a clock that was put back must not silence it
      if (!hasCounted || Math.abs(now - toldAt) < TELL_AGAIN_MS) return
      hasCounted = false
      toldAt = now
      for (const { counted } of windows.values()) {
        for (const record of counted.values()) write(record)
        counted.clear()
      }
    },
    flush() {
      windows.clear()
      sweepAt = Number.POSITIVE_INFINITY
    },
  }
}

/** What those it stands for have in common: where they came from, and how they ended. */
function counting({ time, decision, code, sourceIp, instance }: AuditRecord): Counted {
  const reason = 'a flood from one source: counted, not written one by one'
  return { id: randomUUID(), time, decision, code, reason, sourceIp, instance, count: 0, since: time }
}
