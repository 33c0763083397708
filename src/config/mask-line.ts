import { HIDDEN, hideSecrets } from './hidden-values.ts'
import { SHOWN_KEYS } from './shown-places.ts'

/** A part of a line, and what is shown in its place. */
export interface Piece {
  readonly length: number
  readonly shown: string
}

const KEY = /^(?:-\s+)*["']?([\w$.-]+)["']?\s*:/
/** In a line of JSON or flow YAML, keys may stand anywhere. */
const ANY_KEY = /(?<=^|[\s{,"'])([\w$]+)["']?\s*:/g
const SECRET_WORD = /sha256|externalId|apiKeys/i
/** A file that is not YAML may be anything; its lines are not searched without end. */
const MAX_LINES_ABOVE = 1000

/**
 * Returns the pieces of a line of a text that is no sound YAML, so that no parser says what in it is a value. Shows values only
 * if every key of the line is known, and neither it nor a line that it is indented under may have a secret.
 */
export function maskLine(lines: readonly string[], line: number): Piece[] {
  const text = lines[line - 1] ?? ''
  const indent = text.length - text.trimStart().length
  const content = text.slice(indent)
  const keys = [...content.matchAll(ANY_KEY)].map(([, key = '']) => key)
  const mayHoldSecret = [...keysAbove(lines, line), content].some(above => SECRET_WORD.test(above))
  const isKnown = keys.every((key, i) => SHOWN_KEYS.has(key) || (i === 0 && isName(content)))
  const piece = (part: string, shown: string): Piece => ({ length: part.length, shown })
  if (!mayHoldSecret && isKnown) {
    const [value = '', comment = ''] = content.split(/(?<=\s)(#.*)/)
    return [piece(text.slice(0, indent), text.slice(0, indent)), ...words(value), piece(comment, '')]
  }
  const key = KEY.exec(content)?.[0] ?? /^-\s+/.exec(content)?.[0] ?? ''
  const rest = content.slice(key.length)
  return [
    piece(text.slice(0, indent), text.slice(0, indent)),
    piece(key, hideSecrets(key)),
    piece(rest, rest.trim() === '' ? rest : ` ${HIDDEN}`),
  ].filter(({ length }) => length > 0)
}

/** A name that a mapping has, such as a database's: nothing follows it. */
function isName(content: string): boolean {
  return /:\s*(?:#.*)?$/.test(content)
}

/** Splits text into words and what is between them, so that a caret marks one of them. */
function words(text: string): Piece[] {
  const hidden = hideSecrets(text)
  if (hidden !== text) return [{ length: text.length, shown: hidden }]
  return (text.match(/[\w$./*-]+|\s+|[^\w\s]/g) ?? []).map(word => ({ length: word.length, shown: word }))
}

/** Returns the lines that a line is indented under, the nearest first. */
function keysAbove(lines: readonly string[], line: number): string[] {
  const above: string[] = []
  let indent = indentOf(lines[line - 1] ?? '')
  for (let i = line - 2; i >= 0 && i >= line - MAX_LINES_ABOVE && indent > 0; i--) {
    const text = lines[i] ?? ''
    if (text.trim() === '' || indentOf(text) >= indent) continue
    indent = indentOf(text)
    above.push(text)
  }
  return above
}

function indentOf(text: string): number {
  return text.length - text.trimStart().length
}
