import type { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { messageOf } from '../lib/system-error.ts'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { AuditLogMetrics } from '../telemetry/metrics.ts'
import { type Batch, createBatch } from './batch.ts'
import { createDueWatch } from './due-watch.ts'
import { gather } from './gather.ts'
import {
  type Cancellation,
  firstDueAt,
  type OnWritten,
  type PendingWrite,
  splitDue,
  takeBatch,
  tellWriters,
} from './pending-write.ts'
import { createRefusalQueue, type RenderedRefusal } from './refusal-queue.ts'
import type { Sink } from './sink.ts'
import { auditUnavailable, createSinkStatus, RETRY_MS } from './sink-status.ts'

/** A sink that has not answered for this long hangs, and vends stop waiting for it. */
export const HANG_MS = 2000
const NOTHING = { announcements: [], refusals: [] } as const
const HANGS = 'it has not answered for 2 s'

/** Writes to one sink: while a batch is being written others gather, and the next batch takes them all. */
export interface SinkWriter {
  readonly sinkName: string
  /** Returns the error for a vend if the sink hangs: it would only wait in vain. Logs the hang again each minute. */
  checkHang(now: number): JetonError | undefined
  /**
   * Calls `onWritten` when the sink has the line, or with `temporarily_unavailable` if the sink fails, or has not answered
   * after 2 s; never before it returns. A line that is cancelled before its batch begins is not written, and its `onWritten`
   * may never be called.
   */
  write(line: string, onWritten: OnWritten, cancellation?: Cancellation): void
  /** Queues a refusal. Returns at once; refusals beyond the queue's limit are counted. */
  writeRefusal(refusal: RenderedRefusal): void
  /** Queues a line that goes ahead of all others in the next batch, and is tried again until it is written. Starts no batch. */
  announce(line: string): void
  /** Queues the count of refusals beyond the limit, starts a batch if anything waits, and has the sink check its records. */
  flushDue(): void
  /** Resolves when nothing waits. Gives up on refusals if the sink fails; never resolves while it hangs. */
  drain(): Promise<void>
  /** Drains and closes the sink. Gives up on refusals if the sink fails; never resolves while it hangs. */
  close(): Promise<void>
}

export interface SinkWriterParts {
  clock: Clock
  health: Health
  log: Log
  metrics?: AuditLogMetrics | undefined
  /** Named in the record that counts lost refusals. */
  instance?: string | undefined
}

/** Returns a writer for a sink that is open. Nothing else may append to the sink. */
export function createSinkWriter(sink: Sink, parts: SinkWriterParts): SinkWriter {
  const { clock, log, metrics } = parts
  const status = createSinkStatus({ ...parts, sinkName: sink.name })
  const refusals = createRefusalQueue(parts.instance)
  /** In order of arrival, and so of `dueAt`. */
  let waiting: PendingWrite[] = []
  /** Unbounded: only operators start, stop and reload. */
  let announcements: readonly string[] = []
  let batch: Batch | undefined
  let isGathering = false
  let retryAt = 0
  /** Called with the outcome of the next batch. */
  let batchWaiters: ((ok: boolean) => void)[] = []

  const unavailable = (what: string, cause?: unknown) =>
    auditUnavailable(`audit sink ${sink.name}: ${what}`, cause)
  const hasAnything = () => waiting.length > 0 || refusals.size() > 0 || announcements.length > 0
  const hangs = (now: number) => batch !== undefined && now - batch.startedAt >= HANG_MS

  const watch = createDueWatch({ clock, nextDueAt, onDue: giveUp })

  function schedule(): void {
    if (batch || isGathering || !hasAnything()) return
    isGathering = true
    gather({ clock, count: () => waiting.length, onGathered: writeBatch })
  }

  function writeBatch(): void {
    isGathering = false
    const startedAt = clock.now()
    const writes = takeBatch(waiting, sink.maxWrites)
    // refusals alone do not try a failing sink again at once
    const isTooSoon = writes.length === 0 && startedAt < retryAt && batchWaiters.length === 0
    const others = isTooSoon ? NOTHING : { announcements, refusals: refusals.take() }
    const current = createBatch({ writes, ...others, startedAt })
    if (current.lines.length === 0) {
      notifyBatchWaiters(true)
      return
    }
    announcements = []
    batch = current
    watch.start()
    sink.append(current.lines).then(
      () => onBatchDone(current),
      error => onBatchDone(current, error ?? new Error('it failed')),
    )
  }

  function onBatchDone(done: Batch, error?: unknown): void {
    batch = undefined
    const now = clock.now()
    const ok = error === undefined
    const records = done.lines.length
    metrics?.onBatchWritten({ sink: sink.name, records, durationMs: now - done.startedAt, ok })
    if (ok) {
      tellWriters(done.writes, { log })
      status.reportSuccess()
    } else {
      retryAt = now + RETRY_MS
      announcements = [...done.announcements, ...announcements]
      refusals.putBack(done.refusals)
      tellWriters(done.writes, { error: unavailable(messageOf(error), error), log })
      status.reportFailure(error)
    }
    if (ok || waiting.length > 0) schedule()
    notifyBatchWaiters(ok)
  }

  function notifyBatchWaiters(ok: boolean): void {
    const waiters = batchWaiters
    batchWaiters = []
    for (const onDone of waiters) onDone(ok)
  }

  async function drain(): Promise<void> {
    while (batch || hasAnything()) {
      const ok = await new Promise<boolean>(resolve => {
        batchWaiters.push(resolve)
        schedule()
      })
      if (!ok && waiting.length === 0) return
    }
  }

  function nextDueAt(): number | undefined {
    const dueAt = firstDueAt(batch?.writes ?? []) ?? firstDueAt(waiting)
    // a hang is reported even if only refusals are in the batch
    return batch && !status.isFailing() ? Math.min(batch.startedAt + HANG_MS, dueAt ?? Infinity) : dueAt
  }

  function giveUp(now: number): void {
    if (hangs(now)) status.reportHang()
    const written = splitDue(batch?.writes ?? [], now)
    const unwritten = splitDue(waiting, now)
    // before they are told: who is told may write again
    if (batch) batch.writes = written.left
    waiting = unwritten.left
    tellWriters([...written.due, ...unwritten.due], { error: unavailable(HANGS), log })
  }

  return {
    sinkName: sink.name,
    checkHang(now) {
      if (!hangs(now)) return undefined
      status.reportHang()
      return unavailable(HANGS)
    },
    write(line, onWritten, cancellation) {
      waiting.push({ line, dueAt: clock.now() + HANG_MS, cancellation, onWritten })
      schedule()
      watch.start()
    },
    writeRefusal(refusal) {
      const { count = 1 } = refusal.record
      if (!refusals.put(refusal)) metrics?.onRefusalsDropped({ sink: sink.name, count })
      schedule()
    },
    announce(line) {
      announcements = [...announcements, line]
    },
    flushDue() {
      refusals.queueLost()
      schedule()
      if (!batch) void sink.check?.()
    },
    drain,
    async close() {
      refusals.queueLost()
      await drain()
      watch.stop()
      await sink.close()
    },
  }
}
