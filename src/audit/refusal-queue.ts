import { randomUUID } from 'node:crypto'
import { type AuditRecord, renderRecord } from './record.ts'

const MAX_LINES = 1000
/** A batch with this many refusals takes hardly longer than one without any. */
const MAX_BATCH_LINES = 100

/** Refusals that wait for one sink. Bounded: those beyond the limit are counted. */
export interface RefusalQueue {
  size(): number
  /** Returns false if there is no room; the record is then counted as lost. */
  put(record: AuditRecord, line: string): boolean
  /** Removes and returns at most 100 lines, oldest first; the count of lost records comes last. */
  take(): string[]
  /** Puts lines that were taken but not written back to the front. */
  putBack(lines: readonly string[]): void
  /** Queues a record that counts the lost ones, if there are any, even beyond the limit. */
  queueLost(): void
}

/** Returns an empty queue. `instance` is named in the records that count the lost ones. */
export function createRefusalQueue(instance: string | undefined): RefusalQueue {
  let lines: string[] = []
  let lost: { count: number; since: string; until: string } | undefined

  function queueLost(): void {
    if (!lost) return
    const { count, since, until } = lost
    lost = undefined
    const what = { decision: 'refused', code: 'not_recorded', reason: 'more than could be written' } as const
    lines.push(renderRecord({ id: randomUUID(), time: until, ...what, instance, count, since }))
  }

  return {
    size: () => lines.length,
    put(record, line) {
      if (lines.length < MAX_LINES) {
        lines.push(line)
        return true
      }
      lost = { count: (lost?.count ?? 0) + 1, since: lost?.since ?? record.time, until: record.time }
      return false
    },
    take() {
      if (lines.length <= MAX_BATCH_LINES) queueLost()
      return lines.splice(0, MAX_BATCH_LINES)
    },
    putBack(taken) {
      lines = [...taken, ...lines]
    },
    queueLost,
  }
}
