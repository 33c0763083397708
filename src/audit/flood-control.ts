import { randomUUID } from 'node:crypto'
import { createLogThrottle } from '../lib/log-throttle.ts'
import { remainingMs, type TimeWindow } from '../lib/time-window.ts'
import { type FloodLimit, limitsOf, type Refusal } from './flood-limits.ts'
import { createFloodUsage, type FloodUsage, usageKey } from './flood-usage.ts'
import { type AuditRecord, MAX_RECORD_BYTES, renderRecord } from './record.ts'
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
  /**
   * Decides, without rendering the record, whether it is to be written or counted. Returns the record that will stand for it.
   * `now` in milliseconds.
   */
  admit(refusal: Refusal, now: number): AdmittedRefusal
  /** Writes the counting records of a window that is over. Costs little if none is: call it on every request. */
  closeWindow(now: number): void
  /** Writes the counts so far, every 10 s at most: for a process that may freeze before its window closes. */
  report(now: number): void
  /** Writes all counts so far. */
  flush(): void
}

/** The record that stands for a refusal: its own, or the counting record that it is counted in. */
export interface AdmittedRefusal {
  readonly id: string
  /** Renders and writes the refusal's own record; does nothing if it is counted. Call it once, before anything else is admitted. */
  write(): void
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
    admit(refusal, now) {
      const current = currentWindow(now)
      const { usage } = current
      const limits = limitsOf(refusal)
      // as if its line were the longest: how long it is would be known only once it is rendered
      const index = usage.findExceeded(limits, MAX_RECORD_BYTES + SINK_BYTES)
      if (index < 0) return { id: refusal.record.id, write: () => write(render(refusal, { usage, limits })) }
      const exceeded = limits.slice(index)
      const id = count(refusal, { window: current, limits: exceeded })
      if (exceeded[0]) onCounted?.(exceeded[0].of)
      return { id, write() {} }
    },
    closeWindow,
    report(now) {
      if (window && window.counting.size > 0 && reports.admit(now)) writeCounts(window)
    },
    flush,
  }
}

/** Returns the refusal as it is to be written, and adds it to the usage. */
function render(
  { record, entitledBy }: Refusal,
  { usage, limits }: { usage: FloodUsage; limits: readonly FloodLimit[] },
): RenderedRefusal {
  const line = renderRecord(record)
  usage.add(limits, { records: 1, bytes: Buffer.byteLength(line) + SINK_BYTES })
  return { record, line, isEntitled: entitledBy !== undefined }
}

/**
 * Counts a refusal for the narrowest of the limits, from the exceeded one on, whose counting record there is or that the wider
 * ones have room for; the widest always have one. So a flood of counting records becomes one, too. Returns that record's id.
 */
function count(
  { record, entitledBy }: Refusal,
  { window, limits }: { window: FloodWindow; limits: readonly FloodLimit[] },
): string {
  const { usage, counting } = window
  for (const [index, limit] of limits.entries()) {
    const key = `${usageKey(limit)} ${record.decision} ${record.code}`
    const wider = limits.slice(index + 1)
    const known = counting.get(key)
    if (known) {
      addTo(known.record, record)
      return known.record.id
    }
    if (usage.findExceeded(wider, COUNTING_BYTES) < 0) {
      usage.add(wider, { records: 0, bytes: COUNTING_BYTES })
      const isEntitled = entitledBy !== undefined
      const counted = createCountingRecord(record, limit)
      counting.set(key, { record: counted, isEntitled })
      return counted.id
    }
  }
  throw new Error('the widest limit always has a counting record')
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
