import { escapeUnprintable } from '../lib/printable.ts'
import type { TerminalStyle } from './terminal-style.ts'

/** A fact and what it is called; the label is empty for a further one of the same kind. */
export type FactRow = readonly [label: string, text: string]

/** Returns a line for each fact, the labels in a column of their own, and then one for each thing that is wrong. */
export function factLines(
  rows: readonly FactRow[],
  { problems, style }: { problems: readonly string[]; style: TerminalStyle },
): string[] {
  const width = Math.max(...rows.map(([label]) => label.length))
  const facts = rows.map(([label, text]) => `${style.dim(label.padEnd(width))}  ${escapeUnprintable(text)}`)
  const wrong = problems.map(
    problem => `${style.mark(false)}${style.bad('wrong:')} ${escapeUnprintable(problem)}`,
  )
  return [...facts, ...(wrong.length > 0 ? ['', ...wrong] : [])]
}
