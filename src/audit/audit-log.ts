import type { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { waitAtMost } from '../lib/deadline.ts'
import { printableJson } from '../lib/printable.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { AuditLogMetrics } from '../telemetry/metrics.ts'
import { type AdmittedRefusal, createFloodControl } from './flood-control.ts'
import type { Refusal } from './flood-limits.ts'
import type { LifecycleRecord } from './lifecycle-record.ts'
import { type OnWritten, tellWriters } from './pending-write.ts'
import { type AuditRecord, renderRecord } from './record.ts'
import type { Sink } from './sink.ts'
import { auditUnavailable } from './sink-status.ts'
import { createSinkWriter, HANG_MS, type SinkWriter } from './sink-writer.ts'

/** Records every decision in all sinks. No record, no token: a vend that `write` did not resolve for must not leave. */
export interface AuditLog {
  /**
   * Resolves when the record is in every sink, as durable as each of them makes it. Rejects with
   * `temporarily_unavailable` if a sink fails or has not answered after 2 s; other sinks may still have written the
   * record.
   */
  write(record: AuditRecord): Promise<void>
  /**
   * Does the same for a vend's record that is rendered, and calls `onWritten`, never before it returns, instead of settling a
   * promise. Does NOT check that the line is a record.
   */
  writeLine(line: string, onWritten: OnWritten): void
  /**
   * Queues what nobody waits for: a refusal, a vend that failed (decision `failed`), what a principal was told (`listed`).
   * Returns at once, never throws and never delays a vend. A flood becomes counting records. `entitledBy` names a grant that
   * the record's principal meets: with it, no flood of others takes its place. Nothing is rendered before `write` is called;
   * which record will stand for it is decided before. Undefined if it cannot be recorded at all, which is logged.
   */
  admitRefusal(record: AuditRecord, options?: Pick<Refusal, 'entitledBy'>): AdmittedRefusal | undefined
  /**
   * Queues a record of the process itself. Returns at once and never throws. In each sink it goes ahead of all that is
   * written later, and is tried again until it is there: no token leaves by new rules before their record is written.
   * `flushDue` or `drain` has it written now.
   */
  announce(record: LifecycleRecord): void
  /** Writes the counting records of floods that are over, and what was announced. Call it each minute. */
  flushDue(): void
  /** Returns the hash of the last record surely written, for `--expect-last`; undefined if no sink has a hash chain. */
  headHash(): string | undefined
  /**
   * Resolves when nothing waits to be written, refusals included. What a sink fails to take is tried again with the next
   * record. Writes the counts of floods that are not over, every 10 s at most; what is counted in between is lost if
   * the process ends without `close`. Skips sinks that hang, but may wait for one that has just begun to: bound it.
   */
  drain(): Promise<void>
  /** Writes what waits, then `last`, and closes the sinks; gives up on one that hangs after 2 s. */
  close(last?: LifecycleRecord): Promise<void>
}

export interface AuditLogParts {
  sinks: readonly Sink[]
  clock: Clock
  /** Measures how long a sink takes, so that a correction of `clock` does not look like a hang. Default: `clock`. */
  timer?: Clock
  health: Health
  log: Log
  metrics?: AuditLogMetrics | undefined
  /** Named in the counting records that the audit log writes itself. */
  instance?: string | undefined
}

/**
 * Writes each vend to every sink and waits for all of them; refusals go along when there is room. Each sink has a writer
 * of its own, so that a slow one does not delay the batches of the others. Throws without a sink.
 */
export function createAuditLog(parts: AuditLogParts): AuditLog {
  const { sinks, clock, timer = clock, health, log, metrics, instance } = parts
  const writers = sinks.map(sink => createSinkWriter(sink, { clock: timer, health, log, metrics, instance }))
  const [firstWriter] = writers
  if (!firstWriter) throw new Error('the audit log needs at least one sink')
  // for one sink, the usual case, there is nothing to cancel
  const writeToSinks =
    writers.length === 1
      ? (line: string, onWritten: OnWritten) => firstWriter.write(line, onWritten)
      : writeToAll
  const flood = createFloodControl({
    write(refusal) {
      for (const writer of writers) writer.writeRefusal(refusal)
    },
    onCounted: limit => metrics?.onRefusalCounted(limit),
  })
  let closing: Promise<void> | undefined

  /** What one sink fails to take is dropped from the others that have not begun to write it. */
  function writeToAll(line: string, onWritten: OnWritten): void {
    const cancellation = { isCancelled: false }
    let missing = writers.length
    const onSinkWritten: OnWritten = error => {
      missing--
      if (cancellation.isCancelled || (!error && missing > 0)) return
      cancellation.isCancelled = error !== undefined
      onWritten(error)
    }
    for (const writer of writers) writer.write(line, onSinkWritten, cancellation)
  }

  /** Before any sink has it: a vend that is refused because of one sink must not be recorded in the others. */
  function findHang(): JetonError | undefined {
    const now = timer.now()
    for (const writer of writers) {
      const error = writer.checkHang(now)
      if (error) return error
    }
    return undefined
  }

  function writeLine(line: string, onWritten: OnWritten): void {
    flood.closeWindow(clock.now())
    const error = closing ? auditUnavailable('the audit log is closed') : findHang()
    if (error) queueMicrotask(() => tellWriters([{ onWritten }], { error, log }))
    else writeToSinks(line, onWritten)
  }

  /** Never throws: a refusal that cannot be recorded must not become another failure. */
  function orLog<Result>(record: AuditRecord, step: () => Result): Result | undefined {
    try {
      return step()
    } catch (error) {
      log.error(
        { event: 'refusal_not_recorded', err: error, requestId: record.requestId, traceId: record.traceId },
        'a refusal could not be recorded in the audit log',
      )
      return undefined
    }
  }

  function admitRefusal(
    record: AuditRecord,
    { entitledBy }: Pick<Refusal, 'entitledBy'> = {},
  ): AdmittedRefusal | undefined {
    const admitted = orLog(record, () => flood.admit({ record, entitledBy }, clock.now()))
    return admitted && { id: admitted.id, write: () => orLog(record, admitted.write) }
  }

  /** What waits goes first: `lastLine` is the last. */
  async function writeLast(writer: SinkWriter, lastLine: string | undefined): Promise<void> {
    if (lastLine !== undefined) {
      writer.flushDue()
      await writer.drain()
      writer.announce(lastLine)
    }
    await writer.close()
  }

  /** Bounded, because a sink that hangs must not keep the process from ending. */
  async function closeWriter(writer: SinkWriter, lastLine: string | undefined): Promise<void> {
    const sink = writer.sinkName
    let isClosed = false
    const close = writeLast(writer, lastLine)
      .catch(error => log.error({ event: 'audit_close_failed', sink, err: error }, CLOSE_FAILED))
      .finally(() => {
        isClosed = true
      })
    await waitAtMost(close, { clock: timer, maxMs: HANG_MS })
    if (!isClosed) log.error({ event: 'audit_abandoned', sink }, ABANDONED)
  }

  return {
    write: record =>
      new Promise((resolve, reject) => {
        writeLine(renderRecord(record), error => (error ? reject(error) : resolve()))
      }),
    writeLine,
    admitRefusal,
    announce(record) {
      const line = printableJson(record)
      for (const writer of writers) writer.announce(line)
    },
    flushDue() {
      flood.closeWindow(clock.now())
      for (const writer of writers) writer.flushDue()
    },
    async drain() {
      flood.report(clock.now())
      const now = timer.now()
      await Promise.all(writers.filter(writer => !writer.checkHang(now)).map(writer => writer.drain()))
    },
    headHash: () => sinks.map(sink => sink.headHash()).find(hash => hash !== undefined),
    close(last) {
      if (!closing) {
        flood.flush()
        const lastLine = last && printableJson(last)
        closing = Promise.all(writers.map(writer => closeWriter(writer, lastLine))).then(() => {})
      }
      return closing
    },
  }
}

const CLOSE_FAILED = 'the audit sink could not be closed: check that its last records are there'
const ABANDONED = 'the audit sink hangs: jeton stops without it, and its last records may be missing'
