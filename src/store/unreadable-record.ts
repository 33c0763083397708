import { JetonError } from '../errors.ts'

/** How long those who want the record wait before they look again: whoever can read it may have renewed it by then. */
const COME_BACK_MS = 5000

/** To everyone but `isUnreadable` a plain JetonError. */
class UnreadableRecord extends JetonError {}

export interface Unreadable {
  key: string
  /** For the operator: why this instance cannot read it, and what to do. Never a secret. */
  why: string
  /** Until then (ms) the record is of use to somebody else and must not be overwritten. */
  keepUntil?: number | undefined
}

/**
 * The error for a record that stands on the store and that this instance cannot read (written by a newer release, sealed by
 * an unknown key): `temporarily_unavailable` to the caller. It concerns one record: the store is well, so what guards the
 * store must not count it, and asks `isUnreadable`.
 */
export function unreadableRecord({ key, why, keepUntil }: Unreadable): JetonError {
  return new UnreadableRecord('temporarily_unavailable', {
    publicMessage: 'what is stored cannot be read by this instance; try again later',
    reason: `the record ${key} cannot be read: ${why}${until(keepUntil)}`,
    retryAfterMs: COME_BACK_MS,
  })
}

/** Whether `cause` is an error that `unreadable` made. */
export function isUnreadableRecord(cause: unknown): cause is JetonError {
  return cause instanceof UnreadableRecord
}

/** The time comes out of a record that somebody else wrote: it may be no date at all. */
function until(keepUntil: number | undefined): string {
  const date = new Date(keepUntil ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? '' : `; it is left alone until ${date.toISOString()}`
}
