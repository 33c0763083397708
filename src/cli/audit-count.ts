import { COUNT_FIELDS, type CountField, type RecordCount, type RecordCounts } from '../audit/count-records.ts'
import { UsageError } from '../errors.ts'
import { countText } from '../lib/count-text.ts'
import { printableJson } from '../lib/printable.ts'
import { createTextTable } from '../lib/text-table.ts'
import type { AUDIT_FORMATS } from './audit-format.ts'
import { auditCell } from './audit-row.ts'

/** Stands in a row of a table or of CSV for all values that are not told apart. */
const OTHERS = '(others)'

/** Parses the values of `--count-by`, names with commas between them; each counts once. Throws `UsageError`. */
export function parseCountFields(texts: readonly string[]): CountField[] {
  const names = texts.flatMap(text => text.split(',')).map(name => name.trim())
  const fields = names.map(name => {
    const field = COUNT_FIELDS.find(each => each === name)
    if (field === undefined) throw new UsageError(`--count-by takes ${COUNT_FIELDS.join(', ')}`)
    return field
  })
  return [...new Set(fields)]
}

export interface CountLayout {
  fields: readonly CountField[]
  format: (typeof AUDIT_FORMATS)[number]
  /** How many rows. */
  limit: number
  /** The columns of a terminal. */
  width: number | undefined
}

/** Returns the lines that print counts, the most first, and what has no row of its own after them. Throws `UsageError`. */
export async function countLines(
  { counts, others }: RecordCounts,
  { fields, format, limit, width }: CountLayout,
): Promise<string[]> {
  const shown = counts.slice(0, limit)
  switch (format) {
    case 'json':
      return [
        ...shown.map(each => printableJson(jsonOf(each, fields))),
        ...(others > 0 ? [printableJson({ count: others, others: true })] : []),
      ]
    case 'csv': {
      const { csvLines } = await import('./audit-csv.ts')
      return counts.length === 0 ? [] : csvLines([['count', ...fields], ...rowsOf(shown, { others, fields })])
    }
    case 'table': {
      const header = ['COUNT', ...fields.map(field => field.toUpperCase())]
      const table = createTextTable({ header, flexible: fields.map((_, i) => i + 1), width })
      return table.linesOf(rowsOf(shown, { others, fields }).map(row => row.map(auditCell)))
    }
    case 'ocsf':
      throw new UsageError('-o ocsf prints records: with --count-by, -o takes table, json or csv')
  }
}

function jsonOf({ values, count }: RecordCount, fields: readonly CountField[]): object {
  return { count, ...Object.fromEntries(fields.map((field, i) => [field, values[i] ?? null])) }
}

function rowsOf(
  counts: readonly RecordCount[],
  { others, fields }: { others: number; fields: readonly CountField[] },
): (string | number | undefined)[][] {
  return [
    ...counts.map(({ values, count }) => [count, ...values]),
    ...(others > 0 ? [[others, ...fields.map(() => OTHERS)]] : []),
  ]
}

/** Returns what is to be said of counts beside them. */
export function countNotes({ counts, others, counting }: RecordCounts, limit: number): string[] {
  const hidden = counts.slice(limit)
  const rest = hidden.reduce((sum, { count }) => sum + count, 0)
  return [
    ...(counting.records > 0
      ? [
          `${countText(counting.records, 'record')} of floods ${counting.records === 1 ? 'stands' : 'stand'} for ${counting.count} of these`,
        ]
      : []),
    ...(hidden.length > 0
      ? [`${countText(hidden.length, 'more row')}, of ${rest}: --limit 0 shows all`]
      : []),
    ...(others > 0
      ? [
          `there were too many different values: ${others} whose values came after the first ${counts.length} are counted together as others; search a shorter time, or count by something else`,
        ]
      : []),
  ]
}
