import { escapeUnprintable } from '../../lib/printable.ts'
import type { LiveRow } from './run-checks.ts'

const RESULT_WIDTH = 'warning'.length

/** The lines of a table, so that each row can be printed as soon as it is known. */
export interface LiveTable {
  readonly header: string
  line(row: LiveRow): string
}

/** Returns a table for rows of these names, whose columns are aligned. Nothing in it controls a terminal. */
export function createLiveTable(names: readonly string[]): LiveTable {
  const width = Math.max(...['what', ...names].map(name => escapeUnprintable(name).length))
  function format(...[what, result, detail]: [string, string, string]): string {
    const cells = [
      escapeUnprintable(what).padEnd(width),
      result.padEnd(RESULT_WIDTH),
      escapeUnprintable(detail),
    ]
    return `${cells.join('  ')}\n`
  }
  return {
    header: format('what', 'result', 'detail'),
    line: ({ what, result, detail }) => format(what, result, detail),
  }
}
