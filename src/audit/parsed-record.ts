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
  const timeMs = timeOf(record)
  if (timeMs === undefined) return undefined
  return { sortKey: sortKeyOf(timeMs, record.id), line, type, record: record as unknown as AuditRecord }
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/** Returns a record's time in milliseconds; undefined if it is not ISO 8601 in UTC. */
export function timeOf({ time }: { readonly time?: unknown }): number | undefined {
  const timeMs = typeof time === 'string' && ISO_TIME.test(time) ? Date.parse(time) : Number.NaN
  return Number.isNaN(timeMs) ? undefined : timeMs
}
