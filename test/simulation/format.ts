/** `1,234`. */
export const formatCount = (n: number) => n.toLocaleString('en-US')

/** Milliseconds in the unit that is easiest to read: `12 ms`, `1.2 s`, `120 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 100_000 ? `${(ms / 1000).toFixed(1)} s` : `${formatCount(Math.round(ms / 1000))} s`
}

/** The range of a random delay: `0–250`. */
export const formatDelay = (maxDelayMs: number) => (maxDelayMs === 0 ? '0' : `0–${maxDelayMs}`)

/** A Markdown table: the first column is aligned left, the others right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map(cells => cells[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [head, rule, ...rows].map(line).join('\n')
}
