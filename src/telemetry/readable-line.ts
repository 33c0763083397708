import { styleText } from 'node:util'

export interface ReadableLineOptions {
  /** Escapes what a line must not show. */
  escapeUnprintable: (text: string) => string
  hasColors: boolean
}

type Style = Parameters<typeof styleText>[0]

const LEVEL_STYLES: Readonly<Record<string, Style>> = { warn: 'yellow', error: 'red', fatal: 'red' }
/** What can stand after `=` without quotation marks. */
const WORD = /^[^\s"'=\\]+$/
const INDENT = '    '

/**
 * Returns a function that turns a line of the log, as JSON, into lines for people: time, level, event, sentence, then members as
 * `name=value`; those with parts of their own, such as an error with its stack, stand below, indented. What callers chose is
 * escaped and never begins a line that is not indented. Text that is not an object in JSON is only escaped.
 */
export function createReadableLine({
  escapeUnprintable,
  hasColors,
}: ReadableLineOptions): (json: string) => string {
  const paint = (style: Style, text: string) =>
    hasColors ? styleText(style, text, { validateStream: false }) : text

  function inline(name: string, value: unknown): string {
    const text = typeof value === 'string' && WORD.test(value) ? value : JSON.stringify(value)
    return `${paint('dim', `${escapeUnprintable(name)}=`)}${escapeUnprintable(text)}`
  }

  function below(name: string, value: object): string[] {
    const lines = partsOf(value).map(part => `${INDENT}${INDENT}${escapeUnprintable(part)}`)
    return [`${INDENT}${paint('dim', `${escapeUnprintable(name)}:`)}`, ...lines]
  }

  return json => {
    const logged = parseLine(json)
    if (!logged) return `${escapeUnprintable(json.trimEnd())}\n`
    const { time, level, event, msg, ...members } = logged
    const entries = Object.entries(members)
    const head = [
      paint('dim', escapeUnprintable(String(time))),
      paint(LEVEL_STYLES[String(level)] ?? 'green', escapeUnprintable(String(level).toUpperCase().padEnd(5))),
      paint('bold', escapeUnprintable(String(event))),
    ]
    const inlineMembers = entries
      .filter(entry => !hasParts(entry))
      .map(([name, value]) => inline(name, value))
    const first = [head, [escapeUnprintable(String(msg))], inlineMembers]
    const rest = entries.filter(hasParts).flatMap(([name, value]) => below(name, value))
    const line = first.map(words => words.join(' ')).filter(text => text !== '')
    return `${[line.join('  '), ...rest].join('\n')}\n`
  }
}

function parseLine(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function hasParts(entry: [string, unknown]): entry is [string, object] {
  const [, value] = entry
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/** Returns the lines of an object or a list; a stack has several. */
function partsOf(value: object): string[] {
  const textOf = (part: unknown) => (typeof part === 'string' ? part : JSON.stringify(part))
  if (Array.isArray(value)) return value.map(textOf)
  return Object.entries(value).flatMap(([name, part]) =>
    name === 'stack'
      ? textOf(part)
          .split('\n')
          .map(frame => frame.trim())
      : `${name}: ${textOf(part)}`,
  )
}
