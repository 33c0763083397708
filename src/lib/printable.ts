/** Returns text cut to at most `length` UTF-16 units, the last one an ellipsis. Never cuts a surrogate pair in two. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/** Controls, line breaks, what changes the direction of writing, and all that has no shape of its own (UAX 44). */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
/** Unicode's tables are slow to search, and most of a line is ASCII. */
const NOT_PRINTABLE_ASCII = /[^ -~]+/g
/** The same without the line breaks of indented JSON; within its strings there are none. */
const NOT_PRINTABLE_JSON = /[^ -~\t\r\n]+/g
const DELETE = '\u007f'
/** Of a UTF-16 unit that is escaped. */
const MAX_BYTES_PER_UNIT = 6
const ELLIPSIS_BYTES = 3
/** ASCII that takes one byte for each character. */
const UNESCAPED = /^[ !#-[\]-~]*$/

/**
 * Returns text that callers chose, escaped as in JSON, to be quoted in one line of a log or terminal: quotation marks,
 * backslashes and everything unprintable become `\"`, `\n` or `\u....`. It could otherwise forge a line or hide what follows.
 */
export function escapeText(text: string): string {
  return escapeUnprintable(JSON.stringify(text).slice(1, -1))
}

/** As `escapeText`, for a finished line: leaves quotation marks and backslashes as they are. */
export function escapeUnprintable(text: string): string {
  return text.replace(NOT_PRINTABLE_ASCII, escapeRun)
}

/**
 * Returns the same JSON with everything unprintable in its strings as `\u....`: it parses to the same value. White space
 * between its members stays, line breaks too. `json` must be JSON.
 */
export function escapeJson(json: string): string {
  // one byte for each character is ASCII: for a line of the audit log, five times as fast as to search it
  if (Buffer.byteLength(json) === json.length && !json.includes(DELETE)) return json
  return json.replace(NOT_PRINTABLE_JSON, escapeRun)
}

/** Returns a value as JSON without anything unprintable, on one line unless it is indented. The value must not be undefined. */
export function printableJson(value: unknown, indent?: number): string {
  return escapeJson(JSON.stringify(value, undefined, indent))
}

/**
 * Returns text, cut if it would take more than `maxBytes` bytes within printable JSON, its quotation marks not counted. What was
 * cut ends with an ellipsis, and never with half a surrogate pair.
 */
export function shortenForJson(text: string, maxBytes: number): string {
  if (text.length * MAX_BYTES_PER_UNIT <= maxBytes || (text.length <= maxBytes && UNESCAPED.test(text)))
    return text
  let bytes = 0
  let end = 0
  for (const char of text) {
    bytes += jsonBytes(char)
    if (bytes > maxBytes) return `${text.slice(0, end)}…`
    if (bytes <= maxBytes - ELLIPSIS_BYTES) end += char.length
  }
  return text
}

/** Whether text stands in printable JSON as it is, with one byte for each character. */
export function needsNoEscaping(text: string): boolean {
  return UNESCAPED.test(text)
}

function jsonBytes(char: string): number {
  if (char >= ' ' && char < DELETE) return char === '"' || char === '\\' ? 2 : 1
  return Buffer.byteLength(escapeText(char))
}

function escapeRun(run: string): string {
  return run.replace(UNPRINTABLE, char => char.split('').map(escapeUnit).join(''))
}

function escapeUnit(unit: string): string {
  // JSON has short forms for some controls
  if (unit < ' ') return JSON.stringify(unit).slice(1, -1)
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
