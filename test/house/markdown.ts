/** The lines below a heading of any level, up to the next one of the same level or above; undefined if there is none. */
export function sectionOf(markdown: string, title: string): string[] | undefined {
  const lines = markdown.split('\n')
  const start = lines.findIndex(line => /^#+ /.test(line) && line.replace(/^#+ /, '').trim() === title)
  if (start < 0) return undefined
  const level = lines[start]?.indexOf(' ') ?? 0
  const below = lines.slice(start + 1)
  const end = headingIndex(below, level)
  return end < 0 ? below : below.slice(0, end)
}

/** The lines inside the first fenced block; undefined if there is none. */
export function firstCodeBlock(lines: readonly string[]): string[] | undefined {
  const start = lines.findIndex(isFence)
  if (start < 0) return undefined
  const inside = lines.slice(start + 1)
  const end = inside.findIndex(isFence)
  return inside.slice(0, end < 0 ? inside.length : end)
}

/** The cells of each row of the tables among some lines, without the row of dashes. Headings are a row like any other. */
export function tableRows(lines: readonly string[]): string[][] {
  return lines
    .filter(line => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map(line =>
      line
        .replace(/^\||\|\s*$/g, '')
        .split('|')
        .map(cell => cell.trim()),
    )
}

function isFence(line: string): boolean {
  return line.startsWith('```')
}

/** A `#` inside a fenced block is a comment of its language, and no heading. */
function headingIndex(lines: readonly string[], level: number): number {
  let isCode = false
  return lines.findIndex(line => {
    if (isFence(line)) isCode = !isCode
    return !isCode && /^#+ /.test(line) && line.indexOf(' ') <= level
  })
}
