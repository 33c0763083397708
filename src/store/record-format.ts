import { JetonError } from '../errors.ts'
import { DAY_MS } from '../lib/iso-time.ts'
import { type JsonObject, parseJsonObject } from '../lib/json.ts'

/** A release that changes the format raises this, and keeps the members `v` and `keepUntil` with their meaning. */
const VERSION = 1
/** How long a record is left alone by an instance that cannot read it: as long as a lease. */
export const MAX_KEPT_MS = 16_000
/**
 * How far ahead a `keepUntil` can be: the clock that set it may be up to 2 s off, and so may this one. Whoever can write to
 * the table can set any, so a later one is not believed at all.
 */
export const MAX_KEPT_AHEAD_MS = MAX_KEPT_MS + 5000
/** How long a record can be of use: a data key is for three days, and a clock may be wrong. A later expiry is not believed. */
export const MAX_LIFE_MS = 4 * DAY_MS
/** When to read an unreadable record again: an instance that can read it may have renewed it by then. */
const RETRY_AFTER_MS = 5000

/** Returns a record as JSON, with the members that every release understands: its version, and `keepUntil` (ms). */
export function encodeRecord(record: {
  readonly keepUntil: number
  readonly [name: string]: unknown
}): Buffer {
  return Buffer.from(JSON.stringify({ v: VERSION, ...record }))
}

/** Whether a record with this `keepUntil` (ms) must not be overwritten now: it is still to come, and as near as it has to be. */
export function isKept(keepUntil: number, now: number): boolean {
  return keepUntil > now && keepUntil - now <= MAX_KEPT_AHEAD_MS
}

/**
 * Returns the members of a record that `encodeRecord` made; their types are not checked. Returns undefined for anything
 * else, and for a record of a newer release that is not kept; while it is kept, throws `UnreadableRecord`.
 */
export function decodeRecord(
  bytes: Uint8Array,
  { key, now }: { key: string; now: number },
): JsonObject | undefined {
  const record = parseJsonObject(bytes)
  if (!record || record.v === VERSION) return record
  const { keepUntil } = record
  if (typeof keepUntil === 'number' && isKept(keepUntil, now))
    throw new UnreadableRecord({ key, why: 'a newer release wrote it', keepUntil })
  return undefined
}

export interface UnreadableRecordOptions {
  key: string
  /** For the operator: why this instance cannot read the record, and what to do. Never a secret, nor a text of the record. */
  why: string
  /** Until then (ms) the record must not be overwritten. */
  keepUntil: number
}

/**
 * A record of the store that this instance cannot read: written by a newer release, or encrypted with a key that it does not
 * have. To the caller it is `temporarily_unavailable`. The store itself works, so a circuit breaker must not count this as a
 * failure of the store.
 */
export class UnreadableRecord extends JetonError {
  constructor({ key, why, keepUntil }: UnreadableRecordOptions) {
    super('temporarily_unavailable', {
      publicMessage: 'a stored record cannot be read by this instance; try again later',
      reason: `the record ${key} cannot be read: ${why}; it is left alone until ${new Date(keepUntil).toISOString()}`,
      retryAfterMs: RETRY_AFTER_MS,
    })
  }
}
