import { shorten } from '../../lib/printable.ts'
import { hideSecrets } from '../excerpt/hidden-values.ts'
import { createReport, type Problem } from '../problems.ts'

/** What a template or a shell was meant to replace; the first group is the name. */
const UNEXPANDED = [
  /\$\{\{?\s*[\w.:-]+[^}]*\}\}?/,
  /\$\([\w.-]+\)/,
  /(?<![\w$])\$[A-Z_][A-Z0-9_]*\b/,
  /\{\{[^}]*\}\}/,
  /%[A-Z_]{3,}%/,
]
/** What documentation has in the place of a value. */
const PLACEHOLDERS = [
  /<[A-Za-z][\w .-]{1,40}>/,
  /\byour[-_](?:org|organization|company|team|tenant|account|project|repo|repository|app|domain)\b/i,
  /\b(?:TENANT|ORGANIZATION|ORG|PROJECT|ACCOUNT|WORKSPACE)[-_]ID\b/,
  /\b(?:CHANGE[-_]?ME|REPLACE[-_]?ME)\b/i,
  /\b(?:FIXME|TODO|XXX+)\b/,
]
const INVISIBLE = /[\u00A0\u00AD\u200B-\u200F\u2028-\u202E\u2060-\u2064\uFEFF]/u
const CURLY_QUOTES = /[\u2018-\u201f]/u

const MAX_SHOWN = 40
const MAX_DEPTH = 32

/**
 * Returns what looks as if it was forgotten in the values of a parsed configuration: variables that nothing expands,
 * placeholders, white space at an end, characters that cannot be seen. Quotes no more of a value than that.
 */
export function findStrayText(value: unknown): Problem[] {
  const doubts: Problem[] = []
  const report = createReport(doubts)
  const seen = new Set<object>()
  const path: (string | number)[] = []

  function look(node: unknown): void {
    if (typeof node === 'string') {
      const doubt = findDoubt(node)
      if (doubt !== undefined) report.problem(doubt, ...path)
    }
    // what an alias repeats is looked at once
    if (typeof node !== 'object' || node === null || seen.has(node) || path.length > MAX_DEPTH) return
    seen.add(node)
    if (Array.isArray(node)) for (const [position, element] of node.entries()) lookBelow(position, element)
    else
      for (const [name, member] of Object.entries(node))
        if (path.length > 0 || name !== '$schema') lookBelow(name, member)
  }

  function lookBelow(name: string | number, member: unknown): void {
    path.push(name)
    look(member)
    path.pop()
  }

  look(value)
  return doubts
}

function findDoubt(text: string): string | undefined {
  const variable = withoutDefault(firstMatch(UNEXPANDED, text))
  if (variable !== undefined)
    return `contains ${variable}, and jeton expands no variables: write the value, or expand it before jeton reads the file`
  const placeholder = firstMatch(PLACEHOLDERS, text)
  if (placeholder !== undefined)
    return `contains ${placeholder}, which looks like a placeholder: write your own value`
  const invisible = INVISIBLE.exec(text)?.[0]
  if (invisible !== undefined)
    return `contains ${codePoint(invisible)}, which cannot be seen and counts: write the value by hand`
  const quote = CURLY_QUOTES.exec(text)?.[0]
  if (quote !== undefined) return `contains ${quote}, a quotation mark of a word processor: use " or '`
  return text.trim() === text ? undefined : 'begins or ends with white space, which counts: leave it out'
}

function firstMatch(patterns: readonly RegExp[], text: string): string | undefined {
  const match = patterns.find(pattern => pattern.test(text))?.exec(text)?.[0]
  return match && shorten(hideSecrets(match), MAX_SHOWN)
}

/** Leaves out what stands in braces behind a name, as in `${NAME:-x}`: a default may be a secret. */
function withoutDefault(variable: string | undefined): string | undefined {
  return variable?.replace(/^(\$?\{\{?\s*[\w.]*)([^}]*)(\}+)$/, (whole, name, rest, end) =>
    rest.trim() === '' ? whole : `${name}…${end}`,
  )
}

function codePoint(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
