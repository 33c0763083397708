import { displayWidth } from './display-width.ts'

/** How to lay out a table. */
export interface TableLayout {
  header: readonly string[]
  /**
   * The columns of the terminal. Flexible cells are cut if all but the last cell then fit; what does not fit goes on in indented
   * lines, as the header does. Without it, nothing is cut and each row is a line.
   */
  width?: number | undefined
  /** The columns that may be cut, by their place in the header. */
  flexible: readonly number[]
}

const GAP = '  '
const INDENT = '    '
const MIN_WIDTH = 12

/** Lays out a table as its rows come. */
export interface TextTable {
  /** Returns the lines of more rows, before the first of them the header. */
  linesOf(rows: readonly (readonly string[])[]): string[]
}

/**
 * Returns a table without rows. Columns are as wide as their widest cell so far. Two spaces part the cells, and no cell has two in a
 * row: what is not cut can be taken apart again. Cells must be printable.
 */
export function createTextTable(layout: TableLayout): TextTable {
  const { header, width } = layout
  let widths = header.map(displayWidth)
  let hasHeader = false
  return {
    linesOf(rows) {
      if (rows.length === 0) return []
      const cells = rows.map(row => row.map(cell => cell.replace(/ {2,}/g, ' ')))
      widths = widths.map((widest, i) =>
        cells.reduce((most, row) => Math.max(most, displayWidth(row[i] ?? '')), widest),
      )
      const narrowed = narrow(widths, layout)
      const all = hasHeader ? cells : [header, ...cells]
      hasHeader = true
      return all.flatMap(row => rowLines(row, { widths: narrowed, width }))
    },
  }
}

/**
 * Returns narrower widths, if all but the last column then fit in a line: the flexible column with the most room gives way
 * first. Otherwise only what is wider than a line is cut.
 */
function narrow(
  widths: readonly number[],
  { header, width = Number.POSITIVE_INFINITY, flexible }: TableLayout,
): number[] {
  const narrowed = [...widths]
  const roomOf = (i: number) => (narrowed[i] ?? 0) - Math.max(MIN_WIDTH, displayWidth(header[i] ?? ''))
  while (lineWidth(narrowed.slice(0, -1)) > width) {
    const roomiest = flexible.reduce((a, b) => (roomOf(b) > roomOf(a) ? b : a))
    if (roomOf(roomiest) <= 0)
      return widths.map((each, i) => (flexible.includes(i) ? Math.min(each, width - INDENT.length) : each))
    narrowed[roomiest] = (narrowed[roomiest] ?? 0) - 1
  }
  return narrowed
}

function lineWidth(widths: readonly number[]): number {
  return sum(widths) + GAP.length * (widths.length - 1)
}

/** The last cell is as wide as it is, and begins a line if it does not fit. */
function rowLines(
  row: readonly string[],
  { widths, width = Number.POSITIVE_INFINITY }: { widths: readonly number[]; width: number | undefined },
): string[] {
  const cells = row.map((cell, i) => (i === row.length - 1 ? cell : padTo(cell, Math.max(widths[i] ?? 0, 1))))
  const lines: string[] = []
  for (const cell of cells) {
    const line = lines.at(-1)
    if (line !== undefined && lineWidth([displayWidth(line), displayWidth(cell)]) <= width)
      lines[lines.length - 1] = `${line}${GAP}${cell}`
    else lines.push(line === undefined ? cell : `${INDENT}${cell}`)
  }
  return lines.map(line => line.trimEnd())
}

function padTo(cell: string, width: number): string {
  const cut = cutTo(cell, width)
  return cut + ' '.repeat(width - displayWidth(cut))
}

function cutTo(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let cut = ''
  for (const char of text) {
    if (displayWidth(cut) + displayWidth(char) > width - 1) break
    cut += char
  }
  return `${cut}…`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
