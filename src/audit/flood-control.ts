import { randomUUID } from 'node:crypto'
import { createLogThrottle } from '../lib/log-throttle.ts'
import { remainingMs, type TimeWindow } from '../lib/time-window.ts'
import { type FloodLimit, limitsOf, type Refusal } from './flood-limits.ts'
import { createFloodUsage, type FloodUsage, usageKey } from './flood-usage.ts'
import { type AuditRecord, renderRecord } from './record.ts'
import type { RenderedRefusal } from './refusal-queue.ts'

const WINDOW_MS = 60_000
const REPORT_INTERVAL_MS = 10_000
/** What sinks add to a line: the links of a hash chain, or the keys of an item. */
const SINK_BYTES = 160
/** About the most that a counting record takes. */
const COUNTING_BYTES = 1024

/**
 * Keeps floods of refusals out of the audit log: what exceeds a limit (see `limitsOf`) is counted. So the bytes of a minute are
 * bounded, counting records included, and so is what is remembered, from however many addresses and principals it comes.
 */
export interface FloodControl {
  /** Writes the record or counts it. `now` in milliseconds. */
  record(refusal: Refusal, now: number): void
  /** Writes the counting records of a window that is over. Costs little if none is: call it on every request. */
  closeWindow(now: number): void
  /** Writes the counts so far, every 10 s at most: for a process that may freeze before its window closes. */
  report(now: number): void
  /** Writes all counts so far. */
  flush(): void
}

export interface FloodControlParts {
  write(refusal: RenderedRefusal): void
  /** Called with the limit that a record exceeded. */
  onCounted?: ((limit: FloodLimit['of']) => void) | undefined
}

type CountingRecord = { -readonly [Field in keyof AuditRecord]: AuditRecord[Field] } & { count: number }

interface FloodWindow extends TimeWindow {
  readonly usage: FloodUsage
  /** By limit, decision and code. */
  readonly counting: Map<string, { readonly record: CountingRecord; readonly isEntitled: boolean }>
}

/** Returns a flood control that has counted nothing. A window begins with the first refusal after the one before. */
export function createFloodControl({ write, onCounted }: FloodControlParts): FloodControl {
  let window: FloodWindow | undefined
  const reports = createLogThrottle(REPORT_INTERVAL_MS)

  function currentWindow(now: number): FloodWindow {
    closeWindow(now)
    window ??= { since: now, forMs: WINDOW_MS, usage: createFloodUsage(), counting: new Map() }
    return window
  }

  function closeWindow(now: number): void {
    if (window && remainingMs(window, now) === 0) flush()
  }

  function flush(): void {
    if (window) writeCounts(window)
    window = undefined
  }

  function writeCounts({ counting }: FloodWindow): void {
    for (const { record, isEntitled } of counting.values())
      write({ record, line: renderRecord(record), isEntitled })
    counting.clear()
  }

  return {
    record(refusal, now) {
      const current = currentWindow(now)
      const limits = limitsOf(refusal)
      const admitted = admit(refusal, { usage: current.usage, limits })
      if (admitted) return write(admitted)
      const exceeded = limits.slice(current.usage.findExceeded(limits, SINK_BYTES))
      count(refusal, { window: current, limits: exceeded })
      if (exceeded[0]) onCounted?.(exceeded[0].of)
    },
    closeWindow,
    report(now) {
      if (window && window.counting.size > 0 && reports.admit(now)) writeCounts(window)
    },
    flush,
  }
}

/** Returns the refusal as it is to be written, and adds it to the usage; undefined if that would exceed a limit. */
function admit(
  { record, entitledBy }: Refusal,
  { usage, limits }: { usage: FloodUsage; limits: readonly FloodLimit[] },
): RenderedRefusal | undefined {
  // before it is rendered: in a flood, nearly all are only counted
  if (usage.findExceeded(limits, SINK_BYTES) >= 0) return undefined
  const line = renderRecord(record)
  const bytes = Buffer.byteLength(line) + SINK_BYTES
  const exceeded = limits[usage.findExceeded(limits, bytes)]
  if (exceeded) {
    // what is left of it stays unused: no more records are rendered in vain
    usage.add([exceeded], { records: 0, bytes })
    return undefined
  }
  usage.add(limits, { records: 1, bytes })
  return { record, line, isEntitled: entitledBy !== undefined }
}

/**
 * Counts a refusal for the narrowest of the limits, from the exceeded one on, whose counting record there is or that the wider
 * ones have room for; the widest always have one. So a flood of counting records becomes one, too.
 */
function count(
  { record, entitledBy }: Refusal,
  { window, limits }: { window: FloodWindow; limits: readonly FloodLimit[] },
): void {
  const { usage, counting } = window
  for (const [index, limit] of limits.entries()) {
    const key = `${usageKey(limit)} ${record.decision} ${record.code}`
    const wider = limits.slice(index + 1)
    const known = counting.get(key)
    if (known) {
      addTo(known.record, record)
      return
    }
    if (usage.findExceeded(wider, COUNTING_BYTES) < 0) {
      usage.add(wider, { records: 0, bytes: COUNTING_BYTES })
      const isEntitled = entitledBy !== undefined
      counting.set(key, { record: createCountingRecord(record, limit), isEntitled })
      return
    }
  }
}

function addTo(counting: CountingRecord, { time, sourceIp }: AuditRecord): void {
  counting.count++
  counting.time = time
  if (counting.sourceIp !== sourceIp) counting.sourceIp = undefined
}

/** Returns a record of what the counted ones have in common: who caused them, as far as it is one, and how they ended. */
function createCountingRecord(record: AuditRecord, { facts }: FloodLimit): CountingRecord {
  const { time, decision, code, sourceIp, instance } = record
  return { id: randomUUID(), time, decision, code, sourceIp, instance, ...facts, count: 1, since: time }
}
