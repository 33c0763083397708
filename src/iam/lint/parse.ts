import { visit as visitJson } from 'jsonc-parser'
import { LineCounter, type Node, Pair, parseDocument, Scalar, visit as visitYaml, YAMLMap } from 'yaml'

export type ParsedFile =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string }

/** More uses of anchors than anybody writes: without a limit, a small file could stand for a huge value. */
const MAX_ALIASES = 10_000

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

export interface JsonFault {
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** Returns the first place at which a text is not JSON (RFC 8259); undefined if it is JSON, or nested too deeply for the parser. */
export function firstJsonFault(text: string): JsonFault | undefined {
  let fault: JsonFault | undefined
  try {
    visitJson(
      text,
      {
        onError(_code, offset, _length, startLine, startCharacter) {
          fault ??= { offset, line: startLine + 1, column: startCharacter + 1 }
        },
      },
      { disallowComments: true },
    )
  } catch (cause) {
    // the parser calls itself for each level
    if (!(cause instanceof RangeError)) throw cause
  }
  return fault
}

function parseYamlFile(text: string): ParsedFile {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    logLevel: 'error',
    schema: 'core',
  })
  const [error] = document.errors
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0])
    return problem(`is not YAML: see line ${line}, column ${col} (${error.message})`)
  }
  visitYaml(document, { Value: (_key, node) => longForm(node) })
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: MAX_ALIASES }) }
  } catch {
    return problem(
      'is YAML that cannot be resolved: an alias has no anchor, there are too many aliases, or it is nested too deeply',
    )
  }
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
