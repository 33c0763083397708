import { randomUUID } from 'node:crypto'
import { type AuditRecord, renderRecord } from './record.ts'

const MOST = 1000
/** So few that a batch with them takes hardly longer than one without. */
const IN_A_BATCH = 100

/** Refusals that wait for one log: bounded, and what finds no room is counted. */
export interface RefusalQueue {
  size(): number
  /** False where there is no room; the record is counted then. */
  put(record: AuditRecord, line: string): boolean
  /** At most 100 lines, oldest first; with the last of them what was counted. */
  take(): string[]
  /** What was taken but not written comes first again. */
  putBack(lines: readonly string[]): void
  /** Puts in a record of what was counted, if anything was, even where there is no room. */
  tellLost(): void
}

export function createRefusalQueue(instance: string | undefined): RefusalQueue {
  let lines: string[] = []
  let lost: { count: number; since: string; until: string } | undefined

  function tellLost(): void {
    if (!lost) return
    const { count, since, until } = lost
    lost = undefined
    const what = { decision: 'refused', code: 'not_recorded', reason: 'more than could be written' } as const
    lines.push(renderRecord({ id: randomUUID(), time: until, ...what, instance, count, since }))
  }

  return {
    size: () => lines.length,
    put(record, line) {
      if (lines.length < MOST) {
        lines.push(line)
        return true
      }
      lost = { count: (lost?.count ?? 0) + 1, since: lost?.since ?? record.time, until: record.time }
      return false
    },
    take() {
      if (lines.length <= IN_A_BATCH) tellLost()
      return lines.splice(0, IN_A_BATCH)
    },
    putBack(taken) {
      lines = [...taken, ...lines]
    },
    tellLost,
  }
}
