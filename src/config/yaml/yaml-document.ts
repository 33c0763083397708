import {
  Composer,
  type Document,
  type LineCounter,
  type ParsedNode,
  parseDocument,
  YAMLParseError,
} from 'yaml'
import { readTokens, type TooDeepPlace } from '../../lib/yaml-depth.ts'

/** A YAML text as its parser sees it, errors and all. */
export interface YamlText {
  readonly document: Document.Parsed<ParsedNode>
  readonly lineCounter: LineCounter
}

/**
 * Parses YAML 1.2, whatever version the text declares; nothing in it is resolved yet. Never throws for a fault in the text:
 * `document.errors` has them, but for keys that a mapping has twice and aliases.
 */
export function readYaml(text: string): YamlText {
  const { tokens, lineCounter, tooDeep } = readTokens(text)
  if (tooDeep) return unread(tooDeep)
  const composer = new Composer<ParsedNode>({
    prettyErrors: false,
    logLevel: 'error',
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
    // its search takes the square of the number of keys
    uniqueKeys: false,
  })
  const [document = parseDocument(''), second] = composer.compose(tokens, true, text.length)
  if (second) {
    const [start, end] = second.range
    document.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', 'several documents'))
  }
  return { document, lineCounter }
}

function unread({ offset, lineCounter }: TooDeepPlace): YamlText {
  const document = parseDocument('')
  document.errors.push(new YAMLParseError([offset, offset + 1], 'RESOURCE_EXHAUSTION', 'nested too deeply'))
  return { document, lineCounter }
}

/** Returns text without its byte order mark, which editors do not show: columns count from what follows. */
export function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}
