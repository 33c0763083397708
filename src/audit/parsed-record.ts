import type { AuditRecord } from './record.ts'

/** One record as a log has it. */
export interface ParsedRecord {
  /** Orders records by time, and those of one millisecond by id. */
  readonly order: string
  /** The line, exactly as it was recorded. */
  readonly line: string
  readonly record: AuditRecord
}

/** The moment in milliseconds and the id make the order of records, and their key where they are kept by key. */
export function orderOf(at: number, id: string): string {
  return `${new Date(at).toISOString()}#${id}`
}

/**
 * Reads one line; undefined where it is no record with a time and an id. Nothing else in it is checked: who reads the
 * other members must be ready for values that are not of their type.
 */
export function readRecord(line: string): ParsedRecord | undefined {
  const record = parsed(line)
  if (record?.type !== 'jeton.audit' || typeof record.id !== 'string') return undefined
  const at = timeOf(record)
  return at === undefined
    ? undefined
    : { order: orderOf(at, record.id), line, record: record as unknown as AuditRecord }
}

/** The JSON object that a line is, if it is one. */
export function parsed(line: string): { readonly [member: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/** A record's time in milliseconds. */
export function timeOf({ time }: { readonly time?: unknown }): number | undefined {
  const at = typeof time === 'string' && ISO_TIME.test(time) ? Date.parse(time) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}
