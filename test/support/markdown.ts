import { readFile } from 'node:fs/promises'

/** Returns the text of `docs/NAME.md`. */
export function readDocsPage(name: string): Promise<string> {
  return readFile(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')
}

/** A fenced block. These functions know only as much Markdown as the project's own pages use. */
const FENCE = /^```\w*\n([\s\S]*?)^```$/gm

/** Returns the text of the fenced block after `<!-- example: NAME -->`. Throws if there is none. */
export function exampleIn(page: string, name: string): string {
  const mark = `<!-- example: ${name} -->\n`
  const at = page.indexOf(mark)
  const [, text] = new RegExp(FENCE.source, 'm').exec(page.slice(Math.max(0, at) + mark.length)) ?? []
  if (at < 0 || text === undefined)
    throw new Error(`the page has no fenced block after <!-- example: ${name} -->`)
  return text
}

const prose = (page: string) => page.replace(FENCE, '')

/** Returns the text from a heading to the next of its level or above, without fenced blocks. Throws if there is none. */
export function sectionOf(page: string, title: string): string {
  const lines = prose(page).split('\n')
  const start = lines.findIndex(line => line.replace(/^#+ /, '') === title && line.startsWith('#'))
  if (start < 0) throw new Error(`the page has no section called ${title}`)
  const level = lines[start]?.indexOf(' ') ?? 0
  const length = lines.slice(start + 1).findIndex(line => /^#+ /.test(line) && line.indexOf(' ') <= level)
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n')
}

/** Returns the cells of all rows of all tables, without the heads. */
export function rowsOf(text: string): string[][] {
  const lines = text.split('\n')
  return lines
    .filter((line, at) => /^\|(?! ?-)/.test(line) && !/^\| ?-/.test(lines[at + 1] ?? ''))
    .map(line => line.slice(1, -1).split('|'))
    .map(cells => cells.map(cell => cell.trim()))
}

/** Returns what is in backticks. */
export function quotedIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, quoted]) => quoted ?? '')
}

/** Returns what is in backticks in the first cells of all tables. */
export function namesIn(text: string): string[] {
  return rowsOf(text).flatMap(([first = '']) => quotedIn(first))
}

/** Returns the targets of all links. */
export function linksIn(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '')
}

/** Returns the anchors of all headings, as GitHub makes them. */
export function anchorsOf(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
