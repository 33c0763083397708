import { JetonError } from '../errors.ts'
import type { AuditLogOptions } from './audit-log.ts'
import type { AuditRecord } from './record.ts'
import { createRefusalQueue } from './refusal-queue.ts'
import type { Sink } from './sink.ts'

/** A log that has not answered for so long hangs. */
export const HANG_MS = 2000
/** In UTF-16 units, which for records are bytes, nearly always. */
const BATCH_LENGTH = 512 * 1024
/** Refusals alone do not knock at a failing log more often. */
const RETRY_MS = 1000
/** An alarm on the line must not clear itself while the fault goes on; nor may a clock that was put back silence it. */
const TELL_AGAIN_MS = 60_000
const HANGS = 'it has not answered for 2 s'

/** One vend's record on its way into every log; each lane holds the same entry. */
export interface PendingWrite {
  readonly line: string
  /** When its caller gives up waiting, in milliseconds. */
  readonly dueAt: number
  /** How many logs do not have it yet. */
  missing: number
  failed: boolean
  readonly resolve: () => void
  readonly reject: (error: JetonError) => void
}

/** The way into one log: while a batch is being written others gather, and the next batch takes them all. */
export interface SinkWriter {
  /** The log's. */
  readonly name: string
  /** The error for a vend where the log hangs already: it would only join a pile. Tells the operator again each minute. */
  hanging(now: number): JetonError | undefined
  vend(entry: PendingWrite): void
  refuse(record: AuditRecord, line: string): void
  /** Says how many refusals found no room, and starts a batch if something waits. */
  tick(): void
  /** Writes what waits. Gives up on refusals where the log fails; never resolves while it hangs. */
  settled(): Promise<void>
  /** Writes what waits and closes the log. Gives up on refusals where the log fails; never resolves while it hangs. */
  close(): Promise<void>
}

interface Batch {
  readonly entries: readonly PendingWrite[]
  readonly refusals: readonly string[]
  readonly startedAt: number
}

export function createSinkWriter(sink: Sink, options: AuditLogOptions): SinkWriter {
  const { clock, health, log, metrics } = options
  const refusals = createRefusalQueue(options.instance)
  const closed = new AbortController()
  let waiting: PendingWrite[] = []
  let flight: Batch | undefined
  let isScheduled = false
  let isWatched = false
  let isFailing = false
  let toldAt = 0
  let retryAt = 0
  /** Who waits for what waits to be written: told how the next batch ended. */
  const landings: ((ok: boolean) => void)[] = []

  const hangs = (now: number) => flight !== undefined && now - flight.startedAt >= HANG_MS

  /** Not at once: all that arrives in this turn of the event loop shares one batch. */
  function wake(): void {
    if (flight || isScheduled || (waiting.length === 0 && refusals.size() === 0)) return
    isScheduled = true
    setImmediate(takeOff)
  }

  function takeOff(): void {
    isScheduled = false
    const startedAt = clock.now()
    const entries = takeEntries()
    const isTooSoon = startedAt < retryAt && landings.length === 0
    const taken = entries.length === 0 && isTooSoon ? [] : refusals.take()
    if (entries.length + taken.length === 0) {
      tellLanded(true)
      return
    }
    const batch: Batch = { entries, refusals: taken, startedAt }
    flight = batch
    void watch()
    sink.append([...entries.map(entry => entry.line), ...taken]).then(
      () => land(batch),
      error => land(batch, error ?? new Error('it failed')),
    )
  }

  function takeEntries(): PendingWrite[] {
    let length = 0
    let end = 0
    for (; end < waiting.length && length <= BATCH_LENGTH; end++) length += waiting[end]?.line.length ?? 0
    return waiting.splice(0, end).filter(stillWaits)
  }

  function land(batch: Batch, error?: unknown): void {
    flight = undefined
    const now = clock.now()
    const ok = error === undefined
    const records = batch.entries.length + batch.refusals.length
    metrics?.appended({ sink: sink.name, records, durationMs: now - batch.startedAt, ok })
    if (ok) {
      for (const entry of batch.entries) if (--entry.missing === 0 && !entry.failed) entry.resolve()
    } else {
      retryAt = now + RETRY_MS
      refusals.putBack(batch.refusals)
      const refusal = unwritable(sink.name, { what: messageOf(error), cause: error })
      for (const entry of batch.entries) fail(entry, refusal)
    }
    tell(ok, error)
    if (ok || waiting.length > 0) wake()
    tellLanded(ok)
  }

  function tellLanded(ok: boolean): void {
    for (const told of landings.splice(0)) told(ok)
  }

  async function drain(): Promise<void> {
    while (flight || waiting.length > 0 || refusals.size() > 0) {
      const ok = await new Promise<boolean>(resolve => {
        landings.push(resolve)
        wake()
      })
      if (!ok && waiting.length === 0) return
    }
  }

  /** One timer for all that wait: it sleeps to what is due first, looks again, and ends when nothing waits. */
  async function watch(): Promise<void> {
    if (isWatched) return
    isWatched = true
    try {
      for (let due = nextDue(); due !== undefined; due = nextDue()) {
        await clock.sleepUntil(due, closed.signal)
        expire(clock.now())
      }
    } catch {
      // The lane is closed: nobody waits any more.
    } finally {
      isWatched = false
    }
  }

  function nextDue(): number | undefined {
    const entryDue = (flight?.entries.find(stillWaits) ?? waiting.find(stillWaits))?.dueAt
    return flight && !isFailing ? Math.min(flight.startedAt + HANG_MS, entryDue ?? Infinity) : entryDue
  }

  function expire(now: number): void {
    if (hangs(now)) tell(false)
    const error = unwritable(sink.name, { what: HANGS })
    for (const entry of flight?.entries ?? []) if (now >= entry.dueAt) fail(entry, error)
    for (const entry of waiting) if (now >= entry.dueAt) fail(entry, error)
    waiting = waiting.filter(stillWaits)
  }

  function tell(ok: boolean, error?: unknown): void {
    const now = clock.now()
    if (ok ? !isFailing : isFailing && Math.abs(now - toldAt) < TELL_AGAIN_MS) return
    isFailing = !ok
    toldAt = now
    health.report('log', { ok, of: sink.name })
    if (ok) log.info({ event: 'audit_recovered', sink: sink.name }, 'the audit log answers again')
    else if (error) log.error({ event: 'audit_failing', sink: sink.name, err: error }, 'the audit log fails')
    else log.error({ event: 'audit_hanging', sink: sink.name }, 'the audit log hangs')
  }

  return {
    name: sink.name,
    hanging(now) {
      if (!hangs(now)) return undefined
      tell(false)
      return unwritable(sink.name, { what: HANGS })
    },
    vend(entry) {
      waiting.push(entry)
      wake()
      if (!isWatched) void watch()
    },
    refuse(record, line) {
      if (!refusals.put(record, line)) metrics?.refusalsDropped({ sink: sink.name, count: 1 })
      wake()
    },
    tick() {
      refusals.tellLost()
      wake()
    },
    settled: drain,
    async close() {
      refusals.tellLost()
      await drain()
      closed.abort()
      await sink.close()
    },
  }
}

const stillWaits = (entry: PendingWrite) => !entry.failed && entry.missing > 0

function fail(entry: PendingWrite, error: JetonError): void {
  if (!stillWaits(entry)) return
  entry.failed = true
  entry.reject(error)
}

/** What a vend gets whose record cannot be written; which log it was is for the operator alone. */
export function unwritable(log: string, failure: { what: string; cause?: unknown }): JetonError {
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'the audit log cannot be written',
    reason: `audit log ${log}: ${failure.what}`,
    retryAfterMs: RETRY_MS,
    cause: failure.cause,
  })
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : 'it failed')
