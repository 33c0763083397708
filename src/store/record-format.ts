import { JetonError } from '../errors.ts'
import { type JsonObject, parseJsonObject } from '../lib/json.ts'

/** A release that changes the format raises this, and keeps the members `v` and `keepUntil` with their meaning. */
const VERSION = 1
/** When to read an unreadable record again: an instance that can read it may have renewed it by then. */
const RETRY_AFTER_MS = 5000

/** Returns a record as JSON, with the members that every release understands: its version, and `keepUntil` (ms). */
export function encodeRecord(record: {
  readonly keepUntil: number
  readonly [name: string]: unknown
}): Buffer {
  return Buffer.from(JSON.stringify({ v: VERSION, ...record }))
}

/**
 * Returns the members of a record that `encodeRecord` made; their types are not checked. Returns undefined for anything
 * else, and for a record of a newer release that is past its `keepUntil`; before that, throws `UnreadableRecord`.
 */
export function decodeRecord(
  bytes: Uint8Array,
  { key, now }: { key: string; now: number },
): JsonObject | undefined {
  const record = parseJsonObject(bytes)
  if (!record || record.v === VERSION) return record
  const keepUntil = Number(record.keepUntil)
  if (keepUntil > now) throw new UnreadableRecord({ key, why: 'a newer release wrote it', keepUntil })
  return undefined
}

export interface UnreadableRecordOptions {
  key: string
  /** For the operator: why this instance cannot read the record, and what to do. Never a secret. */
  why: string
  /** Until then (ms) the record must not be overwritten. It comes from the record, so it may be any number. */
  keepUntil?: number | undefined
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
      reason: `the record ${key} cannot be read: ${why}${describeKeepUntil(keepUntil)}`,
      retryAfterMs: RETRY_AFTER_MS,
    })
  }
}

function describeKeepUntil(keepUntil: number | undefined): string {
  const date = new Date(keepUntil ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? '' : `; it is left alone until ${date.toISOString()}`
}
