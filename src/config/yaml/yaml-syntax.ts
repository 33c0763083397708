import { isCollection, isScalar, type YAMLError } from 'yaml'
import { firstJsonFault } from '../../lib/json-fault.ts'
import { walkYaml } from '../../lib/yaml-nodes.ts'
import { findOddIndent, type TextFault } from './text-faults.ts'
import type { YamlText } from './yaml-document.ts'

type Syntax = Pick<YAMLError, 'code' | 'message'> & { readonly offset: number }

interface Source extends YamlText {
  readonly text: string
}

/** Returns the first place at which a text is no YAML, in plain words. What the parser reports after it mostly follows from it. */
export function explainSyntax(error: Syntax, source: Source): TextFault {
  const json = findJsonFault(source.text)
  const { offset, message } = json ?? explain(error, source)
  return { offset, message: `cannot be read as ${json ? 'JSON' : 'YAML'}: ${message}` }
}

const JSON_FAULTS: Readonly<Record<string, string>> = {
  ColonExpected: 'a colon is missing before this',
  CommaExpected: 'a comma or a closing bracket is missing before this',
  EndOfFileExpected: 'the JSON ends before this',
  InvalidSymbol: 'a word that is no JSON: put text in double quotes',
  PropertyNameExpected: 'a name in double quotes is missing before this',
  UnexpectedEndOfString: 'a quotation mark that is not closed on its line',
  ValueExpected: 'a value is missing before this',
}

/** JSON is YAML, but its own parser says more plainly what is wrong with it. */
function findJsonFault(text: string): TextFault | undefined {
  const fault = /^\s*\{\s*"/.test(text) ? firstJsonFault(text) : undefined
  const message = JSON_FAULTS[fault?.code ?? '']
  return fault && message !== undefined ? { offset: fault.offset, message } : undefined
}

const BY_CODE: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_DIRECTIVE: 'a line that begins with %: put text that begins so in quotes',
  BAD_DQ_ESCAPE: 'in double quotes, \\ begins an escape: write \\\\, or use single quotes',
  BAD_SCALAR_START: 'text that begins with @, ` or % must be in quotes',
  BLOCK_IN_FLOW: 'within { } and [ ], a comma is missing, or one line too many is indented',
  MULTIPLE_ANCHORS: 'a value with two anchors (&name)',
  MULTIPLE_TAGS: 'a value with two tags: put text that begins with ! in quotes',
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'a tab in the indentation: indent with spaces',
}

function explain(error: Syntax, source: Source): TextFault {
  const { code, message, offset } = error
  const odd = findOddIndent(source.text)
  if (odd) return odd
  const known = BY_CODE[code]
  if (known !== undefined) return { offset, message: known }
  if (code === 'MISSING_CHAR' || code === 'BAD_INDENT') return explainMissing(error, source)
  if (code === 'BLOCK_AS_IMPLICIT_KEY' || code === 'MULTILINE_IMPLICIT_KEY') return explainKey(error, source)
  if (code === 'UNEXPECTED_TOKEN') return explainToken(error, source)
  // the parser's own, unless it quotes the text
  return { offset, message: /["':!\\]/.test(message) ? code.toLowerCase().replaceAll('_', ' ') : message }
}

function explainMissing(error: Syntax, source: Source): TextFault {
  const { message } = error
  const { text } = source
  const offset = skipSpaces(text, error.offset)
  if (/^Missing closing .quote/.test(message))
    return {
      offset: openerOf(error.offset, source),
      message: 'a quotation mark that is not closed: end the text with the same one',
    }
  if (/end with a [}\]]/.test(message)) {
    const isWrong = /[}\]]/.test(text[error.offset] ?? '')
    if (isWrong)
      return { offset: error.offset, message: 'a bracket that closes another kind: { ends with }, [ with ]' }
    const [opener, closer] = message.endsWith('}') ? '{}' : '[]'
    return {
      offset: openerOf(error.offset, source),
      message: `a ${opener} that is not closed with ${closer}`,
    }
  }
  if (message.startsWith('Comments must be'))
    return {
      offset: error.offset,
      message: 'a # without a space before it: put text that contains # in quotes',
    }
  if (/between flow|after : in flow/.test(message))
    return { offset, message: 'within { } and [ ], a comma or a colon is missing before this' }
  if (message.startsWith('Implicit map keys')) return missingColon(error.offset, text)
  if (message.startsWith('Missing directives-end'))
    return { offset: 0, message: BY_CODE.BAD_DIRECTIVE ?? message }
  if (message.startsWith('Block scalar') || message.startsWith('Tags and anchors'))
    return { offset: error.offset, message }
  if (text.slice(offset).startsWith('- ')) return { offset, message: WRONG_ITEM }
  return { offset, message: 'wrong indentation: the keys of one mapping must begin in one column' }
}

const WRONG_ITEM =
  'wrong indentation: a list item (- ) that begins neither in the column of the items above nor below an empty key'

function explainKey({ offset, message }: Syntax, { text }: Source): TextFault {
  const next = skipSpaces(text, endOfLine(text, offset))
  if (message.startsWith('A block sequence')) {
    const item = text.slice(offset).search(/(?<=^[ \t]*)-(?=\s)/m)
    return { offset: item < 0 ? offset : offset + item, message: WRONG_ITEM }
  }
  if (!message.startsWith('Nested mappings')) return missingColon(offset, text)
  const rest = text.slice(offset, endOfLine(text, offset))
  if (/:(?:\s|$)/.test(rest))
    return {
      offset,
      message: 'a second colon in the line: put text that contains a colon and a space in quotes',
    }
  return {
    offset: next,
    message: 'wrong indentation: it is indented more than the line above, which has a value already',
  }
}

/** Of JavaScript and C. */
export const SLASHES = 'a comment that begins with / and not with #'

function missingColon(offset: number, text: string): TextFault {
  const line = text.slice(offset, endOfLine(text, offset))
  if (/^\/[/*]/.test(line)) return { offset, message: SLASHES }
  const message = /[\w"']:\S/.test(line)
    ? 'a colon without a space after it: write key: value'
    : 'a line without a colon: write key: value'
  return { offset, message }
}

function explainToken({ offset, message }: Syntax, { text }: Source): TextFault {
  const char = text[offset] ?? ''
  if (/[}\]]/.test(char)) return { offset, message: 'a closing bracket that nothing opens' }
  if (char === ',') return { offset, message: 'a comma without a value before it' }
  if (/^\/[/*]/.test(text.slice(offset, offset + 2))) return { offset, message: SLASHES }
  if (message.startsWith('Block scalar header'))
    return {
      offset,
      message: 'text after | or >: write it on the next lines, or put text that begins so in quotes',
    }
  if (/["']/.test(text[offset - 1] ?? '') || /["']\s+$/.test(text.slice(0, offset)))
    return {
      offset,
      message:
        "text goes on after the closing quotation mark: put all of it in quotes, and write ' within '…' twice",
    }
  return { offset, message: 'something that cannot stand here' }
}

/** Returns where the innermost text in quotes or collection in brackets begins that ends at a place. */
function openerOf(end: number, { document }: YamlText): number {
  let opener = end
  let isFound = false
  for (const { node } of walkYaml(document)) {
    const isOpened = isCollection(node) ? node.flow : isScalar(node) && /^QUOTE/.test(node.type ?? '')
    const [start = 0, nodeEnd = 0] = node.range ?? []
    if (!isOpened || nodeEnd !== end || (isFound && start < opener)) continue
    opener = start
    isFound = true
  }
  return opener
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  return end < 0 ? text.length : end
}

function skipSpaces(text: string, offset: number): number {
  const spaces = /\s*/y
  spaces.lastIndex = offset
  spaces.exec(text)
  return spaces.lastIndex < text.length ? spaces.lastIndex : offset
}
