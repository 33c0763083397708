import { parseJsonObject } from '../lib/json.ts'
import { isLifecycleType, type LifecycleRecord } from './lifecycle-record.ts'
import type { AuditRecord } from './record.ts'

/** The type of records of requests. */
export const DECISION_TYPE = 'jeton.audit'

/** One record as it was read from a sink. */
export interface ParsedRecord {
  /** Sorts records by time, and those of one millisecond by id. */
  readonly sortKey: string
  /** The line, exactly as it was recorded. */
  readonly line: string
  readonly type: typeof DECISION_TYPE | LifecycleRecord['type']
  /** Of a lifecycle record, it has only `id`, `time` and `instance`: `type` tells. */
  readonly record: AuditRecord
}

/** Returns the sort key of a record, its time and id. DynamoDB keeps records under it. */
export function sortKeyOf(timeMs: number, id: string): string {
  return `${new Date(timeMs).toISOString()}#${id}`
}

/**
 * Parses one line. Returns undefined if it is not a record with a time and an id. Does NOT check other members: readers
 * must expect values of any type in them.
 */
export function parseRecord(line: string): ParsedRecord | undefined {
  const record = parseJsonObject(line)
  if (!record || typeof record.id !== 'string') return undefined
  const { type } = record
  if (type !== DECISION_TYPE && !isLifecycleType(type)) return undefined
  const sortKey = readSortKey(record, record.id)
  return sortKey === undefined ? undefined : { sortKey, line, type, record: record as unknown as AuditRecord }
}

function readSortKey(record: { readonly time?: unknown }, id: string): string | undefined {
  const { time } = record
  // what sortKeyOf would return, in a tenth of the time
  if (typeof time === 'string' && isCanonicalTime(time)) return `${time}#${id}`
  const timeMs = timeOf(record)
  return timeMs === undefined ? undefined : sortKeyOf(timeMs, id)
}

/** Not the last days of months: whether there is such a day depends on the month. */
const CANONICAL_TIME = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/

/** Whether a time certainly is one, and is written as `Date.toISOString` does. */
export function isCanonicalTime(time: string): boolean {
  return CANONICAL_TIME.test(time)
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/** Returns a record's time in milliseconds; undefined if it is not ISO 8601 in UTC. */
export function timeOf({ time }: { readonly time?: unknown }): number | undefined {
  const timeMs = typeof time === 'string' && ISO_TIME.test(time) ? Date.parse(time) : Number.NaN
  return Number.isNaN(timeMs) ? undefined : timeMs
}
