import { isLifecycleType, type LifecycleRecord } from '../audit/lifecycle-record.ts'
import { formatOcsf } from '../audit/ocsf.ts'
import type { ParsedRecord } from '../audit/parsed-record.ts'
import { UsageError } from '../errors.ts'
import { createTextTable } from '../lib/text-table.ts'
import { AUDIT_COLUMNS, auditRow, FLEXIBLE_AUDIT_COLUMNS, formatAuditJson } from './audit-row.ts'
import { lifecycleRow } from './lifecycle-row.ts'

/** Returns the lines that print records, the header before the first of them. */
export type AuditFormat = (records: readonly ParsedRecord[]) => string[]

/** What `-o` takes. */
export const AUDIT_FORMATS = ['table', 'json', 'csv', 'ocsf'] as const

/** Checks the name of a format. Throws `UsageError`. */
export function parseFormat(name: string): (typeof AUDIT_FORMATS)[number] {
  const format = AUDIT_FORMATS.find(each => each === name)
  if (format === undefined) throw new UsageError('-o takes table, json, csv or ocsf')
  return format
}

/** Returns a format; a table is fitted to `width`, the columns of a terminal. */
export async function createAuditFormat(
  name: (typeof AUDIT_FORMATS)[number],
  width: number | undefined,
): Promise<AuditFormat> {
  switch (name) {
    case 'json':
      return records => records.map(formatAuditJson)
    case 'ocsf':
      return records => records.map(formatOcsf)
    case 'csv':
      return createCsvFormat()
    case 'table': {
      const table = createTextTable({ header: AUDIT_COLUMNS, flexible: FLEXIBLE_AUDIT_COLUMNS, width })
      return records => table.linesOf(records.map(rowOf))
    }
  }
}

async function createCsvFormat(): Promise<AuditFormat> {
  const { CSV_COLUMNS, csvLines, csvRow } = await import('./audit-csv.ts')
  let hasHeader = false
  return records => {
    const rows = records.map(csvRow)
    if (records.length === 0 || hasHeader) return csvLines(rows)
    hasHeader = true
    return csvLines([CSV_COLUMNS, ...rows])
  }
}

function rowOf({ type, record }: ParsedRecord): string[] {
  return isLifecycleType(type) ? lifecycleRow(record as unknown as LifecycleRecord) : auditRow(record)
}
