import { randomUUID } from 'node:crypto'
import { type AuditRecord, renderRecord } from './record.ts'

/** For those of entitled principals, and as many for all others. */
const MAX_LINES = 1000
/** A batch with this many refusals takes hardly longer than one without any. */
const MAX_BATCH_LINES = 100

/** A refusal, or a record that counts refusals, as it is to be written. */
export interface RenderedRefusal {
  readonly record: AuditRecord
  readonly line: string
  /** Whether its principal meets a grant: then nobody else can take its place. */
  readonly isEntitled: boolean
}

/**
 * Refusals that wait for one sink. Bounded: those beyond the limit are counted. Those of entitled principals have a place of
 * their own and go first, so that others can neither crowd them out nor delay them.
 */
export interface RefusalQueue {
  size(): number
  /** Returns false if there is no room; what the record stands for is then counted as lost. */
  put(refusal: RenderedRefusal): boolean
  /** Removes and returns at most 100 lines, oldest first; the count of lost records comes last. */
  take(): string[]
  /** Puts lines that were taken but not written back to the front. */
  putBack(lines: readonly string[]): void
  /** Queues records that count the lost ones, if there are any, even beyond the limit. */
  queueLost(): void
}

/** Returns an empty queue. `instance` is named in the records that count the lost ones. */
export function createRefusalQueue(instance: string | undefined): RefusalQueue {
  let returned: string[] = []
  const entitled = createBoundedLines({
    instance,
    reason: 'more of entitled principals than could be written',
  })
  const others = createBoundedLines({ instance, reason: 'more than could be written' })

  return {
    size: () => returned.length + entitled.size() + others.size(),
    put: refusal => (refusal.isEntitled ? entitled : others).put(refusal),
    take() {
      const taken = returned.splice(0, MAX_BATCH_LINES)
      for (const lines of [entitled, others]) taken.push(...lines.take(MAX_BATCH_LINES - taken.length))
      return taken
    },
    putBack(taken) {
      returned = [...taken, ...returned]
    },
    queueLost() {
      for (const lines of [entitled, others]) lines.queueLost()
    },
  }
}

interface BoundedLines extends Pick<RefusalQueue, 'size' | 'put' | 'queueLost'> {
  take(maxLines: number): string[]
}

function createBoundedLines(what: Pick<AuditRecord, 'instance' | 'reason'>): BoundedLines {
  const lines: string[] = []
  let lost: { count: number; since: string; until: string } | undefined

  function queueLost(): void {
    if (!lost) return
    const { count, since, until } = lost
    lost = undefined
    const how = { decision: 'refused', code: 'not_recorded' } as const
    lines.push(renderRecord({ id: randomUUID(), time: until, ...how, ...what, count, since }))
  }

  return {
    size: () => lines.length,
    put({ record, line }) {
      if (lines.length < MAX_LINES) {
        lines.push(line)
        return true
      }
      const { time, count = 1, since = time } = record
      lost = { count: (lost?.count ?? 0) + count, since: lost?.since ?? since, until: time }
      return false
    },
    take(maxLines) {
      if (lines.length <= maxLines) queueLost()
      return lines.splice(0, maxLines)
    },
    queueLost,
  }
}
