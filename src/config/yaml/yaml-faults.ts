import { isMap, isScalar, type YAMLError } from 'yaml'
import { type AliasFault, aliasFaults, MAX_ALIASES } from '../../lib/yaml-aliases.ts'
import { repeatedKeys, walkYaml, type YamlNode } from '../../lib/yaml-nodes.ts'
import type { TextFault } from './text-faults.ts'
import type { YamlText } from './yaml-document.ts'
import { explainSyntax, SLASHES } from './yaml-syntax.ts'

/** Errors of the parser that say nothing of the rest of the text. */
const SINGLE_ERRORS: ReadonlySet<YAMLError['code']> = new Set([
  'BAD_ALIAS',
  'BAD_DQ_ESCAPE',
  'BAD_SCALAR_START',
  'MULTIPLE_DOCS',
  'NON_STRING_KEY',
  'TAG_RESOLVE_FAILED',
])

/**
 * Returns for what a parsed text cannot be used, in its order and one for each line. Of what is no YAML, the first alone: what
 * the parser reports after it mostly follows from it. Messages quote nothing.
 */
export function findYamlFaults(yaml: YamlText, text: string): TextFault[] {
  const errors = [...yaml.document.errors, ...yaml.document.warnings]
    // a closing bracket that is not indented: every parser takes it
    .filter(({ name, code }) => !(name === 'YAMLWarning' && code === 'BAD_INDENT'))
    .map(({ code, message, pos: [offset] }) => ({ code, message, offset }))
    .sort((one, other) => one.offset - other.offset)
  const syntax = errors.find(({ code }) => !SINGLE_ERRORS.has(code))
  const single = errors.filter(
    ({ code, offset }) => SINGLE_ERRORS.has(code) && (!syntax || offset < syntax.offset),
  )
  if (!syntax)
    return oneForEachLine([...single.map(error => explainSingle(error, text)), ...misuses(yaml, text)], yaml)
  return oneForEachLine(
    [...single.map(error => explainSingle(error, text)), explainSyntax(syntax, { ...yaml, text })],
    yaml,
  )
}

function explainSingle(
  error: Pick<YAMLError, 'code' | 'message'> & { offset: number },
  text: string,
): TextFault {
  const { code, offset, message } = error
  switch (code) {
    case 'MULTIPLE_DOCS':
      return { offset, message: 'a second document begins here: a file may contain only one' }
    case 'NON_STRING_KEY':
      return { offset, message: nonTextKey(text[offset]) }
    case 'TAG_RESOLVE_FAILED':
      return { offset, message: 'text that begins with ! must be in quotes; tags are not supported' }
    case 'BAD_ALIAS':
      return {
        offset,
        message: message.startsWith('Anchor') ? 'text that begins with & must be in quotes' : UNANCHORED,
      }
    case 'BAD_DQ_ESCAPE':
      return { offset, message: 'in double quotes, \\ begins an escape: write \\\\, or use single quotes' }
    default:
      return { offset, message: `text that begins with ${text[offset]} must be in quotes` }
  }
}

function nonTextKey(first: string | undefined): string {
  if (first === '{') return 'text that begins with { must be in quotes; a template has to be filled in first'
  return 'a key that is not text: put it in quotes'
}

const UNANCHORED =
  'text that begins with * must be in quotes; as an alias (*name) it needs an anchor (&name) before it'

const ALIAS_TEXT: Readonly<Record<AliasFault['kind'], string>> = {
  unanchored: UNANCHORED,
  recursive: 'an alias within what it stands for, which would have no end: write it out',
  excessive: `more than ${MAX_ALIASES} aliases: write out what they stand for`,
}

/** What YAML allows, and a configuration does not. */
function misuses({ document, lineCounter }: YamlText, text: string): TextFault[] {
  const faults: TextFault[] = []
  for (const { alias, kind } of aliasFaults(document))
    faults.push({ offset: startOf(alias), message: ALIAS_TEXT[kind] })
  for (const { key, first } of repeatedKeys(document)) {
    const { line } = lineCounter.linePos(startOf(first))
    faults.push({
      offset: startOf(key),
      message: `the mapping has this key already, on line ${line}: keep one of them`,
    })
  }
  for (const { node, isKey, pair } of walkYaml(document)) {
    if (!isScalar(node)) continue
    if (isKey && node.source === '<<' && node.type === 'PLAIN')
      faults.push({ offset: startOf(node), message: mergeKey(pair?.value) })
    else if (isKey && node.type === 'PLAIN' && /^\/[/*]/.test(node.source ?? ''))
      faults.push({ offset: startOf(node), message: SLASHES })
    else if (node.anchor && node.source === '')
      faults.push({ offset: text.lastIndexOf('&', startOf(node)), message: EMPTY_ANCHOR })
  }
  return faults
}

const EMPTY_ANCHOR =
  'text that begins with & must be in quotes; as an anchor (&name) it needs a value after it'

function mergeKey(value: unknown): string {
  const instead = isMap(value)
    ? 'write its keys here themselves'
    : 'write the keys of what it names here themselves'
  return `merge keys (<<) are not supported: ${instead}, or use an alias as a whole value (users: *name)`
}

function startOf({ range }: YamlNode): number {
  return range?.[0] ?? 0
}

function oneForEachLine(faults: readonly TextFault[], { lineCounter }: YamlText): TextFault[] {
  const lines = new Map<number, TextFault>()
  for (const fault of [...faults].sort((one, other) => one.offset - other.offset)) {
    const { line } = lineCounter.linePos(fault.offset)
    if (!lines.has(line)) lines.set(line, fault)
  }
  return [...lines.values()]
}
