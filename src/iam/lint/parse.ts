import {
  type Document,
  LineCounter,
  type Node,
  Pair,
  parseDocument,
  Scalar,
  visit as visitYaml,
  YAMLMap,
} from 'yaml'
import { isTooLargeFor } from '../../lib/expanded-weight.ts'
import { firstJsonFault } from '../../lib/json-fault.ts'
import { type AliasFault, aliasFaults, MAX_ALIASES } from '../../lib/yaml-aliases.ts'
import { findTooDeep } from '../../lib/yaml-depth.ts'
import { repeatedKeys } from '../../lib/yaml-nodes.ts'

export type ParsedFile =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string }

/**
 * Parses strict JSON, or YAML, in which the short forms of CloudFormation (`!Sub`) become the long ones. A problem is the
 * end of a sentence that begins with the file's name; it has the line and column, and may quote the file.
 */
export function parsePolicyFile(content: string): ParsedFile {
  const text = content.replace(/^\uFEFF/, '')
  return /^\s*[{[]/.test(text) ? parseJsonFile(text) : parseYamlFile(text)
}

/** `JSON.parse` decides, but not every engine names the place of a fault. */
function parseJsonFile(text: string): ParsedFile {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    const fault = firstJsonFault(text)
    if (!fault) return problem('is not JSON, and is nested too deeply to say where')
    const { offset, line, column } = fault
    const place = `line ${line}, column ${column}`
    return problem(
      offset === text.length ? `is not JSON: it is cut off at ${place}` : `is not JSON: see ${place}`,
    )
  }
}

function parseYamlFile(text: string): ParsedFile {
  if (findTooDeep(text)) return problem('is YAML that is nested too deeply')
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    logLevel: 'error',
    schema: 'core',
    // tools that write templates resolve merge keys (<<)
    merge: true,
    // its search takes the square of the number of keys
    uniqueKeys: false,
  })
  const placeOf = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset)
    return `line ${line}, column ${col}`
  }
  const [error] = document.errors
  if (error) return problem(`is not YAML: see ${placeOf(error.pos[0])} (${error.message})`)
  const [repeated] = repeatedKeys(document)
  if (repeated) return problem(`is not YAML: see ${placeOf(startOf(repeated.key))} (Map keys must be unique)`)
  const [fault] = aliasFaults(document)
  if (fault)
    return problem(
      `is YAML that cannot be resolved: see ${placeOf(startOf(fault.alias))} (${ALIAS_TEXT[fault.kind]})`,
    )
  visitYaml(document, { Value: (_key, node) => longForm(node) })
  return resolve(document, text.length)
}

const ALIAS_TEXT: Readonly<Record<AliasFault['kind'], string>> = {
  unanchored: 'an alias has no anchor before it',
  recursive: 'an alias is within what it stands for',
  excessive: `there are more than ${MAX_ALIASES} aliases`,
}

/** Whatever walks the value visits what an alias stands for once for each alias, so it must not be too much in all. */
function resolve(document: Document, textLength: number): ParsedFile {
  try {
    const value: unknown = document.toJS({ maxAliasCount: -1 })
    if (!isTooLargeFor(textLength, value)) return { ok: true, value }
    return problem('is YAML that cannot be resolved: its aliases stand for too much')
  } catch {
    return problem('is YAML that cannot be resolved: it is nested too deeply')
  }
}

function startOf({ range }: { range?: Node['range'] }): number {
  return range?.[0] ?? 0
}

/** Returns `{ Fn::Sub: x }` for `!Sub x`, and `{ Ref: x }` for `!Ref x`. */
function longForm(node: Node & { tag?: string | undefined }): YAMLMap | undefined {
  const name = /^!(\w+)$/.exec(node.tag ?? '')?.[1]
  if (name === undefined) return undefined
  delete node.tag
  const map = new YAMLMap()
  map.items.push(new Pair(new Scalar(name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`), node))
  return map
}

function problem(text: string): ParsedFile {
  return { ok: false, problem: text }
}
