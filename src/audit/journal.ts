import type { Clock } from '../clock.ts'
import type { Health } from '../health.ts'
import type { Log } from '../log.ts'
import { createFlood } from './flood.ts'
import { createLane, type Entry, HANG_MS, type Lane, unwritable } from './lane.ts'
import { type AuditRecord, renderRecord } from './record.ts'
import type { Sink } from './sinks/sink.ts'

/** Where every decision is written down. No record, no token: what `vended` did not resolve for must not leave. */
export interface Journal {
  /**
   * Resolves once the record is in every log, as durable as each of them gets. Rejects with `temporarily_unavailable`
   * where one of them fails, or has not answered after 2 s. Some logs may then hold the record all the same.
   */
  vended(record: AuditRecord): Promise<void>
  /**
   * Takes down a refusal, or a vend that failed (decision `failed`). Returns at once, never throws, never holds up a
   * vend; a flood from one source becomes a counting record.
   */
  refused(record: AuditRecord): void
  /** Writes what became due with time: counting records of floods that are over. To be called each minute. */
  tick(): void
  /** The hash of the last record surely written, for `jeton audit verify --expect-last`; undefined without a chained log. */
  lastHash(): string | undefined
  /**
   * Resolves when nothing waits to be written any more, refusals included; what a log fails to take is tried again with the
   * next record. Floods that go on are written as far as they were counted, every 10 s at most: what is counted in between
   * is lost where the process ends without `close`. Leaves out logs that hang, but may wait for one that has just begun to:
   * bound it.
   */
  settled(): Promise<void>
  /** Writes what waits and closes the logs; gives up on one that hangs after 2 s. */
  close(): Promise<void>
}

/** What the journal tells the metrics. */
export interface JournalMetrics {
  appended(batch: { sink: string; records: number; durationMs: number; ok: boolean }): void
  refusalsDropped(drop: { sink: string; count: number }): void
}

export interface JournalOptions {
  sinks: readonly Sink[]
  clock: Clock
  /** What its patience goes by, where a correction of `clock` must not look as if a log had hung for minutes. */
  timer?: Clock
  health: Health
  log: Log
  metrics?: JournalMetrics | undefined
  /** Named in the counting records that the journal writes itself. */
  instance?: string | undefined
}

/**
 * Writes each vend to every log and waits for all of them; refusals go along when there is room. Each log has a lane of
 * its own: what arrives while a batch is being written makes the next batch, so one sync serves all who wait.
 */
export function createJournal(options: JournalOptions): Journal {
  const { sinks, clock, timer = clock, log } = options
  if (sinks.length === 0) throw new Error('at least one audit log is required')
  const lanes = sinks.map(sink => createLane(sink, { ...options, clock: timer }))
  const flood = createFlood(record => {
    const line = renderRecord(record)
    for (const lane of lanes) lane.refuse(record, line)
  })
  let closing: Promise<void> | undefined

  /** A lane's close, or 2 s: a log that hangs must not keep the process from ending. */
  async function closeWithin(lane: Lane): Promise<void> {
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
    async vended(record) {
      if (closing) throw unwritable('the journal', { what: 'it is closed' })
      const now = timer.now()
      flood.sweep(clock.now())
      // Before any log has it: a vend that is refused for one log must not stand in the others.
      for (const lane of lanes) {
        const error = lane.hanging(now)
        if (error) throw error
      }
      const line = renderRecord(record)
      await new Promise<void>((resolve, reject) => {
        const entry: Entry = {
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
    refused(record) {
      try {
        const now = clock.now()
        flood.sweep(now)
        flood.admit(record, now)
      } catch (error) {
        log.error(
          { event: 'refusal_not_recorded', err: error, requestId: record.requestId },
          'a refusal could not be recorded',
        )
      }
    },
    tick() {
      flood.sweep(clock.now())
      for (const lane of lanes) lane.tick()
    },
    async settled() {
      flood.tell(clock.now())
      const now = timer.now()
      await Promise.all(lanes.filter(lane => !lane.hanging(now)).map(lane => lane.settled()))
    },
    lastHash: () => sinks.map(sink => sink.head()).find(hash => hash !== undefined),
    close() {
      if (!closing) {
        flood.flush()
        closing = Promise.all(lanes.map(closeWithin)).then(() => {})
      }
      return closing
    },
  }
}
