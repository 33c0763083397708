/** What tests read out of the documentation. Knows as much of Markdown as our own pages use. */
const FENCE = /^```\w*\n([\s\S]*?)^```$/gm

/** The text in the fence that follows `<!-- example: NAME -->`. Throws where there is none. */
export function exampleIn(page: string, name: string): string {
  const mark = `<!-- example: ${name} -->\n`
  const at = page.indexOf(mark)
  const [, text] = new RegExp(FENCE.source, 'm').exec(page.slice(Math.max(0, at) + mark.length)) ?? []
  if (at < 0 || text === undefined) throw new Error(`there is no example called ${name}`)
  return text
}

const prose = (page: string) => page.replace(FENCE, '')

/** The text from a heading to the next one of its level or above; fences are left out. Throws where there is none. */
export function sectionOf(page: string, title: string): string {
  const lines = prose(page).split('\n')
  const start = lines.findIndex(line => line.replace(/^#+ /, '') === title && line.startsWith('#'))
  if (start < 0) throw new Error(`there is no section called ${title}`)
  const level = lines[start]?.indexOf(' ') ?? 0
  const length = lines.slice(start + 1).findIndex(line => /^#+ /.test(line) && line.indexOf(' ') <= level)
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n')
}

/** The rows of all tables, without heads, cell by cell. */
export function rowsOf(text: string): string[][] {
  const lines = text.split('\n')
  return lines
    .filter((line, at) => /^\|(?! ?-)/.test(line) && !/^\| ?-/.test(lines[at + 1] ?? ''))
    .map(line => line.slice(1, -1).split('|'))
    .map(cells => cells.map(cell => cell.trim()))
}

/** What stands in backticks. */
export function quotedIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, quoted]) => quoted ?? '')
}

/** Where links lead. */
export function linksIn(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '')
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
