import { createHash } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { ParsedRecord } from '../parsed-record.ts'
import type { AuditSource } from '../query.ts'
import { type FollowedBatch, type LogFollower, MAX_BATCH_BYTES, type TablePosition } from './follower.ts'

/** How far back each look at the table begins: the clocks of instances and the time of a put. */
const RECENT_MS = 15_000
/** How far back some looks begin: a sink that fails keeps an instance's refusals waiting. */
export const LATE_MS = 20 * 60_000
const LATE_LOOK_EVERY_MS = 5 * 60_000
/** A record that arrives later than this after its time may be overlooked. */
export const MAX_LATENESS_MS = LATE_MS - LATE_LOOK_EVERY_MS
/** What a cursor remembers of the records delivered lately: of more, some are delivered again after a restart. */
const MAX_REMEMBERED = 20_000

export interface TableFollowerOptions {
  source: AuditSource
  clock: Pick<Clock, 'now'>
  position: TablePosition
}

interface Delivered {
  /** How many of those returned. */
  readonly count: number
  readonly returned: readonly (readonly [key: string, timeMs: number])[]
  /** Until when all was read before them. */
  readonly beforeMs: number
}

/**
 * Follows an audit table. Its records are found by their own time, and instances write them in no order: so each look begins a
 * little before the last one, and one in five minutes 20 minutes before, and what was delivered is left out.
 */
export function followTable({ source, clock, position }: TableFollowerOptions): LogFollower<TablePosition> {
  /** Keys of the records that were returned, with their times. */
  const seen = new Map(position.delivered.map(key => [key, Date.parse(position.until)]))
  const sinceMs = Date.parse(position.since)
  let untilMs = Date.parse(position.until)
  /** The time of the newest record that was returned before the last call, so that it is delivered. */
  let reachedMs = untilMs
  let returnedMs = untilMs
  let lateLookAt = Number.NEGATIVE_INFINITY
  let look: { records: AsyncIterator<ParsedRecord>; startedAt: number } | undefined

  function startLook() {
    const startedAt = clock.now()
    // the clock was put back: what was recorded while it was ahead is late
    if (startedAt < untilMs) {
      untilMs = reachedMs = returnedMs = startedAt
      lateLookAt = Number.NEGATIVE_INFINITY
    }
    const isLate = startedAt >= lateLookAt
    if (isLate) lateLookAt = startedAt + LATE_LOOK_EVERY_MS
    const from = Math.max(sinceMs, untilMs - (isLate ? LATE_MS : RECENT_MS))
    return { records: source.all({ from })[Symbol.asyncIterator](), startedAt }
  }

  /** Forgets what no look and no restart comes back to. Records are in order, but for late ones: these go with the next. */
  function forgetOld(): void {
    reachedMs = Math.max(reachedMs, Math.min(returnedMs, clock.now()))
    for (const [key, timeMs] of seen) {
      if (timeMs >= reachedMs - LATE_MS) return
      seen.delete(key)
    }
  }

  /** Returns undefined at the end of a look. */
  async function nextRecord(): Promise<ParsedRecord | undefined> {
    look ??= startLook()
    const { done, value } = await look.records.next()
    if (!done) return value
    untilMs = Math.max(untilMs, look.startedAt)
    look = undefined
    return undefined
  }

  function positionOf({ count, returned, beforeMs }: Delivered): TablePosition {
    const isAll = count >= returned.length
    const undelivered = new Set(returned.slice(count).map(([key]) => key))
    const lastMs = returned.slice(0, count).reduce((max, [, timeMs]) => Math.max(max, timeMs), beforeMs)
    // not before its end is all of a look delivered; records of a clock that is ahead move nothing
    const until = isAll && !look ? untilMs : Math.max(beforeMs, Math.min(lastMs, clock.now()))
    return {
      table: position.table,
      since: position.since,
      until: new Date(until).toISOString(),
      delivered: [...seen]
        .filter(([key, timeMs]) => timeMs >= until - LATE_MS && !undelivered.has(key))
        .map(([key]) => key)
        .slice(-MAX_REMEMBERED),
    }
  }

  return {
    async next(limit): Promise<FollowedBatch<TablePosition>> {
      const records: ParsedRecord[] = []
      const returned: (readonly [string, number])[] = []
      forgetOld()
      const beforeMs = reachedMs
      let [bytes, isAtEnd] = [0, false]
      while (records.length < limit && bytes < MAX_BATCH_BYTES) {
        const record = await nextRecord()
        isAtEnd = !record
        if (!record) break
        const key = tableKey(record)
        if (seen.has(key)) continue
        const timeMs = Date.parse(record.record.time)
        seen.set(key, timeMs)
        records.push(record)
        returned.push([key, timeMs])
        bytes += record.line.length
      }
      returnedMs = returned.reduce((max, [, timeMs]) => Math.max(max, timeMs), look ? returnedMs : untilMs)
      return { records, isAtEnd, positionAfter: count => positionOf({ count, returned, beforeMs }) }
    },
    async close() {
      await look?.records.return?.()
    },
  }
}

/** Returns what a record of a table is known by, in 12 characters: among 20,000 records, two have the same one in 10 billion cases. */
export function tableKey({ sortKey }: ParsedRecord): string {
  return createHash('sha256').update(sortKey).digest('base64url').slice(0, 12)
}
