import type { FollowEvents, FollowedBatch, LogFollower } from '../../audit/follow/follower.ts'
import { failure } from '../../client/errors.ts'
import { backoffMs } from '../../lib/backoff.ts'
import type { Clock } from '../../lib/clock.ts'
import { messageOf, systemCodeNote } from '../../lib/system-error.ts'
import type { Log } from '../../telemetry/log.ts'
import type { CursorFile, LogPosition } from './cursor-file.ts'
import type { Deliver } from './deliver.ts'
import type { ForwardState } from './forward-state.ts'
import type { ForwardedLog } from './forwarded-log.ts'

export interface ForwardRun<Position extends LogPosition> {
  source: ForwardedLog<Position>
  cursor: CursorFile<Position>
  position: Position
  deliver: Deliver
  maxRecords: number
  /** Whether to end when all that is there is delivered. */
  once: boolean
  clock: Clock
  log: Log
  state: ForwardState
  stop: AbortSignal
}

const BACKOFF = { firstMs: 1000, maxMs: 60_000 }

/**
 * Delivers what is in a log, and what is written to it, until it is stopped; with `once`, until there is no more. The cursor
 * follows what the receiver acknowledged, and never leads. If the log cannot be read, or the cursor not be written, it tries
 * again; with `once` that is an error.
 */
export async function runForward<Position extends LogPosition>(run: ForwardRun<Position>): Promise<void> {
  const { source, cursor, deliver, maxRecords, once, clock, state, stop } = run
  const events = createFollowEvents(run)
  let { position } = run
  let kept = JSON.stringify(position)
  let follower: LogFollower<Position> | undefined

  async function closeFollower(): Promise<void> {
    await follower?.close().catch(() => {})
    follower = undefined
  }

  async function read(): Promise<FollowedBatch<Position>> {
    try {
      follower ??= await source.follow(position, events)
      return await follower.next(maxRecords)
    } catch (cause) {
      await closeFollower()
      throw failure(messageOf(cause), cause)
    }
  }

  async function keep(next: Position): Promise<void> {
    position = next
    const text = JSON.stringify(next)
    if (text === kept) return
    const write = () =>
      cursor.write(next).catch(cause => {
        throw failure(`the cursor cannot be written${systemCodeNote(cause)}`, cause)
      })
    await retryUntilStopped(write, { ...run, event: 'forward_cursor_failed' })
    kept = text
  }

  try {
    while (!stop.aborted) {
      const batch = await retryUntilStopped(read, { ...run, event: 'forward_read_failed' })
      if (!batch) return
      const { records } = batch
      if (records.length === 0) await keep(batch.positionAfter(0))
      else if (!(await deliver(records, count => keep(batch.positionAfter(count))))) return
      // what was written meanwhile waits for the next look, or whoever writes all the time would be asked all the time
      if (!batch.isAtEnd) continue
      state.onCaughtUp()
      if (once) return
      await clock.sleep(source.pollMs, stop).catch(() => {})
    }
  } finally {
    await closeFollower()
  }
}

interface Retried extends Pick<ForwardRun<never>, 'once' | 'clock' | 'log' | 'state' | 'stop'> {
  event: 'forward_read_failed' | 'forward_cursor_failed'
}

/** Returns undefined if it was stopped before it succeeded. */
async function retryUntilStopped<T>(
  attempt: () => Promise<T>,
  { once, clock, log, state, stop, event }: Retried,
): Promise<T | undefined> {
  for (let retries = 0; ; retries++) {
    try {
      const result = await attempt()
      if (retries > 0) state.onFault(undefined)
      return result
    } catch (cause) {
      if (once) throw cause
      const problem = messageOf(cause)
      log.error({ event, problem }, 'nothing is forwarded until this is mended; it is tried again')
      state.onFault(problem)
      await clock.sleep(backoffMs(retries, BACKOFF), stop).catch(() => {})
      if (stop.aborted) return undefined
    }
  }
}

/** A log may have many lines that are no records: each further one is only counted for a while. */
const UNREADABLE_EVERY_MS = 10_000

function createFollowEvents({
  clock,
  log,
  state,
}: Pick<ForwardRun<never>, 'clock' | 'log' | 'state'>): FollowEvents {
  let [unreadable, loggedAt] = [0, Number.NEGATIVE_INFINITY]
  return {
    onMissing(gap) {
      state.onMissing()
      log.error({ event: 'forward_records_missing', ...gap }, MISSING)
    },
    onUnreadable(line) {
      unreadable++
      if (clock.now() - loggedAt < UNREADABLE_EVERY_MS) return
      log.warn({ event: 'forward_line_unreadable', ...line, lines: unreadable }, UNREADABLE)
      ;[unreadable, loggedAt] = [0, clock.now()]
    },
  }
}

const MISSING =
  'the record at this place does not continue the one that was forwarded before it: records are missing, or the log is another one; it goes on from there'
const UNREADABLE = 'a line of the log is not as jeton writes it; it goes on'
