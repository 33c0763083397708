import type { JetonError } from '../errors.ts'
import { type Log, nameAndStack } from '../telemetry/log.ts'

/** In UTF-16 units, which for records nearly always are bytes. */
const MAX_BATCH_LENGTH = 512 * 1024

/**
 * Shared by the writes of one vend, one for each sink. Not an AbortSignal: nobody needs its event, and that is an
 * EventTarget, which is a lot to create for each of 20,000 vends a second.
 */
export interface Cancellation {
  isCancelled: boolean
}

/** A vend's line on its way into one sink. */
export interface PendingWrite {
  readonly line: string
  /** When its caller stops waiting, in milliseconds. */
  readonly dueAt: number
  readonly cancellation: Cancellation | undefined
  readonly onWritten: OnWritten
}

/** Called once, with nothing if the line is written, else with the error for its caller. Must not throw. */
export type OnWritten = (error?: JetonError) => void

/** Removes the oldest writes, about 512 KB of them and at most `maxWrites`, and returns them without those that are cancelled. */
export function takeBatch(
  waiting: PendingWrite[],
  maxWrites: number = Number.POSITIVE_INFINITY,
): PendingWrite[] {
  const taken: PendingWrite[] = []
  let length = 0
  let end = 0
  for (const write of waiting) {
    if (taken.length >= maxWrites || length > MAX_BATCH_LENGTH) break
    end++
    if (!isWanted(write)) continue
    taken.push(write)
    length += write.line.length
  }
  waiting.splice(0, end)
  return taken
}

/** Returns when the first of `writes`, which are in order of arrival, is due; undefined if none is wanted any more. */
export function firstDueAt(writes: readonly PendingWrite[]): number | undefined {
  return writes.find(isWanted)?.dueAt
}

/** Returns those whose callers stop waiting by `now`, and the others, without those that are cancelled. */
export function splitDue(
  writes: readonly PendingWrite[],
  now: number,
): { due: PendingWrite[]; left: PendingWrite[] } {
  const due: PendingWrite[] = []
  const left: PendingWrite[] = []
  for (const write of writes) {
    if (now >= write.dueAt) due.push(write)
    else if (isWanted(write)) left.push(write)
  }
  return { due, left }
}

/** Calls `onWritten` of each. One that throws, which is a bug, is logged and keeps the others from nothing. */
export function tellWriters(
  writes: readonly Pick<PendingWrite, 'onWritten'>[],
  { error, log }: { error?: JetonError; log: Log },
): void {
  for (const { onWritten } of writes) {
    try {
      onWritten(error)
    } catch (cause) {
      log.error({ event: 'request_failed', ...nameAndStack(cause) }, BUG)
    }
  }
}

const BUG = 'a bug in jeton: what was to follow on a record failed; please report this line'

function isWanted({ cancellation }: PendingWrite): boolean {
  return !cancellation?.isCancelled
}
