import { findNearSpelling } from '../../lib/near-spelling.ts'
import { HIDDEN, hideSecrets } from './hidden-values.ts'
import { KNOWN_KEYS } from './shown-places.ts'

/** A part of a line, and what is shown in its place. */
export interface Piece {
  readonly length: number
  readonly shown: string
}

/** The key that a line begins with. */
const KEY = /^(?:-\s+)*["'{]*\s*["']?([\w$.-]+)["']?\s*:/
/** Keys anywhere in a line, as in `{ a: 1, "b":2 }`; no `https:` of a URL. */
const KEYS = /(?<![\w$./-])([\w$.-]+)["']?\s*:(?=[\s"'{[]|$)/g
/** What a key of a mapping has as its value. */
const MAPPING = /^\s*(?:#.*|[{[&].*)?$/
/** Keys under which nothing is shown. */
const SECRET_KEYS = ['sha256', 'externalId']
const SECRET_KEY = /sha256|externalId|apiKey/i
/** An issuer whose subjects are names of API keys. */
const API_KEY_ISSUER = /(?:^|[\s:"'{,])api[-_]?key(?![\w-]|["']?\s*:)/i
/** What may be a key for a secret: a word before a colon, or the first of a line without one. */
const SECRET_WORD =
  /(?:^|[\s{,"'-])([\w-]*(?:key|secret|token|password|passwd|credential)[\w-]*)(?=["']?\s*:)|^([\w-]*(?:key|secret|token|password|passwd|credential)[\w-]*)/gi
/** A file that is not YAML may be anything; its lines are not searched without end. */
const MAX_LINES_ABOVE = 1000
const MAX_LENGTH = 1000

/**
 * Returns the pieces of a line of a text that is no sound YAML, so that no parser says what in it is a value. Shows values only
 * if the line, or for text that goes on the one above, begins with a known key or a name, and speaks of no secret.
 */
export function maskLine(lines: readonly string[], line: number): Piece[] {
  const text = lines[line - 1] ?? ''
  const indent = text.length - text.trimStart().length
  const content = text.slice(indent)
  const piece = (part: string, shown: string): Piece => ({ length: part.length, shown })
  if (text.length > MAX_LENGTH) return [piece(text, '…')]
  const isBelowSecret = linesAbove(lines, line).some(above => SECRET_KEY.test(above))
  if (!isBelowSecret && isShownLine(lines, line)) {
    const [value = '', comment = ''] = content.split(/(?<=\s)(#.*)/)
    return [piece(text.slice(0, indent), text.slice(0, indent)), ...words(value), piece(comment, '')]
  }
  const key = KEY.exec(content)?.[0] ?? /^-\s+/.exec(content)?.[0] ?? ''
  const rest = content.slice(key.length)
  return [
    piece(text.slice(0, indent), text.slice(0, indent)),
    piece(key, hideSecrets(key)),
    piece(rest, rest.trim() === '' ? rest : `${key === '' ? '' : ' '}${HIDDEN}`),
  ].filter(({ length }) => length > 0)
}

function isShownLine(lines: readonly string[], line: number): boolean {
  const content = lines[line - 1]?.trim() ?? ''
  if (!/\w/.test(content)) return true
  if (content.length > MAX_LENGTH) return false
  if (speaksOfSecret(content) || (/subj/i.test(content) && lines.some(other => API_KEY_ISSUER.test(other))))
    return false
  if (KEY.test(content) || KNOWN_KEYS.has(/^[\w$.-]+/.exec(content)?.[0] ?? '')) return true
  // text that goes on, or an item: what it is says the key above
  const above = lines.slice(Math.max(line - 1 - MAX_LINES_ABOVE, 0), line - 1)
  const owner = above.findLastIndex(other => KEY.test(other.trim())) + line - above.length
  return owner >= line - above.length && hasKnownKey(lines[owner - 1] ?? '') && isShownLine(lines, owner)
}

/** Whether a line may have a secret by its keys, one of which may be misspelled, or has one in braces that is not known. */
function speaksOfSecret(content: string): boolean {
  const secretKeys = [...content.matchAll(SECRET_WORD)].map(([, key, first]) => key ?? first ?? '')
  const isUnknown = ({ 0: match, 1: key = '', index }: RegExpExecArray) =>
    !KNOWN_KEYS.has(key) && !MAPPING.test(content.slice(index + match.length))
  return (
    SECRET_KEY.test(content) ||
    API_KEY_ISSUER.test(content) ||
    secretKeys.some(key => !KNOWN_KEYS.has(key)) ||
    (content.includes('{') && [...content.matchAll(KEYS)].some(isUnknown)) ||
    (content.match(/[\w-]+/g) ?? []).some(word => findNearSpelling(word, SECRET_KEYS) !== undefined)
  )
}

function hasKnownKey(text: string): boolean {
  return KNOWN_KEYS.has(KEY.exec(text.trim())?.[1] ?? '')
}

/** Splits text into words and what is between them, so that a caret marks one of them. */
function words(text: string): Piece[] {
  const hidden = hideSecrets(text)
  if (hidden !== text) return [{ length: text.length, shown: hidden }]
  return (text.match(/[\w$./*-]+|\s+|([^\w\s])\1*/g) ?? []).map(word => ({
    length: word.length,
    shown: word,
  }))
}

/** What the next line goes on with. */
const OPEN_END = /[:{[,|>-]\s*$/

/** Returns the lines that a line is indented under, and the one before it if that goes on in it. */
function linesAbove(lines: readonly string[], line: number): string[] {
  const above = lines.slice(Math.max(line - 2, 0), line - 1).filter(previous => OPEN_END.test(previous))
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
