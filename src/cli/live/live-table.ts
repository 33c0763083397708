import { escapeUnprintable } from '../../lib/printable.ts'
import type { LiveRow } from './run-checks.ts'

const HEADER = { what: 'what', result: 'result', detail: 'detail' }

/** Returns rows as a table with a header, a line each, whose columns are aligned. Nothing in it controls a terminal. */
export function formatLiveTable(rows: readonly LiveRow[]): string {
  const cells = [HEADER, ...rows].map(({ what, result, detail }) =>
    [what, result, detail].map(escapeUnprintable),
  )
  const widths = [0, 1].map(column => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  return cells
    .map(row => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`)
    .join('')
}
