/** If a server's `Date` differs by more than this, the machine's clock is wrong. */
export const TOLERANCE_MS = 2000
/** A `Date` has no fraction of a second (RFC 9110, 5.6.7): it is the start of the second in which the server wrote it. */
const RESOLUTION_MS = 1000
/** How fast a machine's clock may drift: 100 ppm, twice the worst of its quartz. */
const DRIFT = 1e-4

/** How far true time is ahead of the machine's clock: between `lowMs` and `highMs`, as of `at` (ms, the machine's). */
export interface Offset {
  readonly lowMs: number
  readonly highMs: number
  readonly at: number
}

/** The `date` of a reply, and when its request was sent and the reply came by the machine's clock; all in ms. */
export interface DatedReply {
  readonly date: number
  readonly requestedAt: number
  readonly receivedAt: number
}

/**
 * Returns the offset that is known after another reply; undefined while the machine's clock counts as right. The server
 * wrote its date between request and reply, so each reply proves an interval, however slow it was. Only an interval that is
 * wholly beyond 2 s starts a correction; further replies narrow it. A reply that contradicts what is known replaces it: the
 * machine's clock was set meanwhile.
 *
 *     date 10:00:07, requested at 09:58:06.9, received at 09:58:07.2   → +119.8 s … +121.1 s
 *     date 10:00:19, requested at 09:58:19.1, received at 09:58:19.3   → +119.7 s … +120.9 s   both: +119.8 s … +120.9 s
 */
export function offsetAfter(
  known: Offset | undefined,
  { date, requestedAt, receivedAt }: DatedReply,
): Offset | undefined {
  // the date is invalid, or the machine's clock was put back before the reply came
  if (!Number.isFinite(date) || receivedAt < requestedAt) return known
  const proven = { lowMs: date - receivedAt, highMs: date + RESOLUTION_MS - requestedAt, at: receivedAt }
  const narrowed = known && overlap(known, proven)
  if (narrowed) return narrowed
  const isBeyondTolerance = proven.lowMs > TOLERANCE_MS || proven.highMs < -TOLERANCE_MS
  return isBeyondTolerance ? proven : undefined
}

/** Returns what to add to the machine's clock, in whole milliseconds: the middle of the interval, or 0 without an offset. */
export function middleMs(offset: Offset | undefined): number {
  return offset ? Math.round((offset.lowMs + offset.highMs) / 2) : 0
}

/** Returns undefined if they contradict each other, even after what was known is widened by the drift since. */
function overlap(known: Offset, proven: Offset): Offset | undefined {
  const driftMs = Math.abs(proven.at - known.at) * DRIFT
  const lowMs = Math.max(known.lowMs - driftMs, proven.lowMs)
  const highMs = Math.min(known.highMs + driftMs, proven.highMs)
  return lowMs <= highMs ? { lowMs, highMs, at: proven.at } : undefined
}
