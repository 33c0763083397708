import type { Clock } from '../lib/clock.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { AuditLogMetrics } from '../telemetry/metrics.ts'
import { createFloodControl } from './flood-control.ts'
import { type AuditRecord, renderRecord } from './record.ts'
import type { Sink } from './sink.ts'
import { createSinkWriter, HANG_MS, type PendingWrite, type SinkWriter, unwritable } from './sink-writer.ts'

/** Where every decision is written down. No record, no token: what `vended` did not resolve for must not leave. */
export interface AuditLog {
  /**
   * Resolves once the record is in every log, as durable as each of them gets. Rejects with `temporarily_unavailable`
   * where one of them fails, or has not answered after 2 s. Some logs may then hold the record all the same.
   */
  write(record: AuditRecord): Promise<void>
  /**
   * Takes down a refusal, or a vend that failed (decision `failed`). Returns at once, never throws, never holds up a
   * vend; a flood from one source becomes a counting record.
   */
  writeRefusal(record: AuditRecord): void
  /** Writes what became due with time: counting records of floods that are over. To be called each minute. */
  flushDue(): void
  /** The hash of the last record surely written, for `jeton audit verify --expect-last`; undefined without a chained log. */
  headHash(): string | undefined
  /**
   * Resolves when nothing waits to be written any more, refusals included; what a log fails to take is tried again with the
   * next record. Floods that go on are written as far as they were counted, every 10 s at most: what is counted in between
   * is lost where the process ends without `close`. Leaves out logs that hang, but may wait for one that has just begun to:
   * bound it.
   */
  drain(): Promise<void>
  /** Writes what waits and closes the logs; gives up on one that hangs after 2 s. */
  close(): Promise<void>
}

export interface AuditLogOptions {
  sinks: readonly Sink[]
  clock: Clock
  /** What its patience goes by, where a correction of `clock` must not look as if a log had hung for minutes. */
  timer?: Clock
  health: Health
  log: Log
  metrics?: AuditLogMetrics | undefined
  /** Named in the counting records that the audit log writes itself. */
  instance?: string | undefined
}

/**
 * Writes each vend to every log and waits for all of them; refusals go along when there is room. Each log has a lane of
 * its own: what arrives while a batch is being written makes the next batch, so one sync serves all who wait.
 */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { sinks, clock, timer = clock, log } = options
  if (sinks.length === 0) throw new Error('at least one audit log is required')
  const lanes = sinks.map(sink => createSinkWriter(sink, { ...options, clock: timer }))
  const flood = createFloodControl(record => {
    const line = renderRecord(record)
    for (const lane of lanes) lane.refuse(record, line)
  })
  let closing: Promise<void> | undefined

  /** A lane's close, or 2 s: a log that hangs must not keep the process from ending. */
  async function closeWithin(lane: SinkWriter): Promise<void> {
    const done = new AbortController()
    const patience = timer.sleepUntil(timer.now() + HANG_MS, done.signal).then(
      () =>
        log.error({ event: 'audit_abandoned', sink: lane.name }, 'the audit log hangs: closed without it'),
      () => {},
    )
    const close = lane.close().catch(error => {
      log.error(
        { event: 'audit_close_failed', sink: lane.name, err: error },
        'the audit log cannot be closed',
      )
    })
    await Promise.race([close, patience])
    done.abort()
  }

  return {
    async write(record) {
      if (closing) throw unwritable('the audit log', { what: 'it is closed' })
      const now = timer.now()
      flood.closeWindows(clock.now())
      // Before any log has it: a vend that is refused for one log must not stand in the others.
      for (const lane of lanes) {
        const error = lane.hanging(now)
        if (error) throw error
      }
      const line = renderRecord(record)
      await new Promise<void>((resolve, reject) => {
        const entry: PendingWrite = {
          line,
          dueAt: now + HANG_MS,
          missing: lanes.length,
          failed: false,
          resolve,
          reject,
        }
        for (const lane of lanes) lane.vend(entry)
      })
    },
    writeRefusal(record) {
      try {
        const now = clock.now()
        flood.closeWindows(now)
        flood.record(record, now)
      } catch (error) {
        log.error(
          { event: 'refusal_not_recorded', err: error, requestId: record.requestId },
          'a refusal could not be recorded',
        )
      }
    },
    flushDue() {
      flood.closeWindows(clock.now())
      for (const lane of lanes) lane.tick()
    },
    async drain() {
      flood.report(clock.now())
      const now = timer.now()
      await Promise.all(lanes.filter(lane => !lane.hanging(now)).map(lane => lane.settled()))
    },
    headHash: () => sinks.map(sink => sink.head()).find(hash => hash !== undefined),
    close() {
      if (!closing) {
        flood.flush()
        closing = Promise.all(lanes.map(closeWithin)).then(() => {})
      }
      return closing
    },
  }
}
