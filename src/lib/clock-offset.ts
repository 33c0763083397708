/** Beyond this, a server's `Date` says that the machine's clock is wrong. */
export const TOLERANCE_MS = 2000
/** A `Date` has no fraction of a second (RFC 9110, 5.6.7): it says the start of the second that the server was in. */
const RESOLUTION_MS = 1000
/** How fast a machine's clock may run away from the truth: 100 ppm, twice what its quartz does at its worst. */
const DRIFT = 1e-4

/** How far the truth is ahead of the machine's clock: between `lowMs` and `highMs`, as of `at` (ms, the machine's). */
export interface Offset {
  readonly lowMs: number
  readonly highMs: number
  readonly at: number
}

/** A reply with its `date`, when it was asked for and when it came, by the machine's clock; all in ms. */
export interface DatedReply {
  readonly date: number
  readonly askedAt: number
  readonly receivedAt: number
}

/**
 * What is known of the offset after another reply; undefined while the machine's clock is taken to be right. The server
 * wrote its date somewhere between request and reply, so each reply proves an interval, however slow it was: a clock is
 * corrected where that lies beyond 2 s altogether, and once it is, further replies narrow what is known. A reply that
 * contradicts it says that the machine's clock was put right, or wrong, meanwhile: it alone counts from then on.
 *
 *     date 10:00:07, asked for at 09:58:06.9, received at 09:58:07.2   → +119.8 s … +121.1 s
 *     date 10:00:19, asked for at 09:58:19.1, received at 09:58:19.3   → +119.7 s … +120.9 s   both: +119.8 s … +120.9 s
 */
export function offsetAfter(
  known: Offset | undefined,
  { date, askedAt, receivedAt }: DatedReply,
): Offset | undefined {
  // a date of nonsense, or a machine's clock that was put back while the reply was under way
  if (!Number.isFinite(date) || receivedAt < askedAt) return known
  const proven = { lowMs: date - receivedAt, highMs: date + RESOLUTION_MS - askedAt, at: receivedAt }
  const both = known && overlap(known, proven)
  if (both) return both
  const isBeyondTolerance = proven.lowMs > TOLERANCE_MS || proven.highMs < -TOLERANCE_MS
  return isBeyondTolerance ? proven : undefined
}

/** What to add to the machine's clock, in whole milliseconds: the middle of what is possible. */
export function middleMs(offset: Offset | undefined): number {
  return offset ? Math.round((offset.lowMs + offset.highMs) / 2) : 0
}

function overlap(known: Offset, proven: Offset): Offset | undefined {
  const driftMs = Math.abs(proven.at - known.at) * DRIFT
  const lowMs = Math.max(known.lowMs - driftMs, proven.lowMs)
  const highMs = Math.min(known.highMs + driftMs, proven.highMs)
  return lowMs <= highMs ? { lowMs, highMs, at: proven.at } : undefined
}
