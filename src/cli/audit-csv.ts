import { stringify } from 'csv-stringify/sync'
import type { ParsedRecord } from '../audit/parsed-record.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import { escapeUnprintable, printableJson } from '../lib/printable.ts'

/** The columns of `-o csv`, in their order. New ones come at the end: others rely on it. */
export const CSV_COLUMNS = [
  'time',
  'type',
  'decision',
  'code',
  'issuer',
  'subject',
  'claims',
  'grant',
  'database',
  'user',
  'identity',
  'fingerprint',
  'cached',
  'issuedAt',
  'expiresAt',
  'refused',
  'sourceIp',
  'network',
  'userAgent',
  'count',
  'since',
  'reason',
  'instance',
  'requestId',
  'id',
  'cut',
  'configuration',
  'changes',
  'problems',
  'signal',
  'traceId',
] as const

/**
 * Returns lines of CSV (RFC 4180, but that lines end as elsewhere), one for each row. What a spreadsheet would take for a formula
 * gets a `'` before it, and everything unprintable is escaped, line breaks too: callers choose much of what stands in records.
 */
export function csvLines(rows: readonly (readonly unknown[])[]): string[] {
  const text = stringify(
    rows.map(row => row.map(csvCell)),
    { escape_formulas: true },
  )
  // no cell has a line break
  return text.split('\n').slice(0, -1)
}

/** Returns the cells of a record: texts as they are, lists and objects as JSON, and nothing for what it does not have. */
export function csvRow({ record }: ParsedRecord): unknown[] {
  const members = record as unknown as JsonObject
  const { issuer, subject, claims } = isJsonObject(members.principal) ? members.principal : {}
  const all: JsonObject = { ...members, issuer, subject, claims }
  return CSV_COLUMNS.map(column => all[column])
}

function csvCell(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? escapeUnprintable(value) : printableJson(value)
}
