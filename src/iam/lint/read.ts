import { LineCounter, type Node, Pair, parseDocument, Scalar, visit, YAMLMap } from 'yaml'
import { jsonFaultAt } from './json-fault.ts'

export type Read =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string }

/** Anchors save writing; beyond this many uses of what they hold, a small file could stand for a huge one. */
const MOST_ALIASES = 10_000

/**
 * The value that a file holds: JSON, held to the letter of it, or YAML with the short forms of CloudFormation (`!Sub`), which
 * become their long ones. Otherwise what is wrong, with line and column; it may quote the file.
 */
export function readPolicyText(given: string): Read {
  const text = given.replace(/^\uFEFF/, '')
  return /^\s*[{[]/.test(text) ? readJson(text) : readYaml(text)
}

function readJson(text: string): Read {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    const at = jsonFaultAt(text) ?? text.length
    const before = text.slice(0, at).split('\n')
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
    return refused(at === text.length ? `is no JSON: it is cut off at ${place}` : `is no JSON: see ${place}`)
  }
}

function readYaml(text: string): Read {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    logLevel: 'error',
    schema: 'core',
  })
  const [fault] = document.errors
  if (fault) {
    const { line, col } = lineCounter.linePos(fault.pos[0])
    return refused(`is no YAML: see line ${line}, column ${col} (${fault.message})`)
  }
  visit(document, { Value: (_key, node) => longForm(node) })
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: MOST_ALIASES }) }
  } catch {
    return refused(
      'is YAML that cannot be resolved: an alias without an anchor, too many of them, or nested too deeply',
    )
  }
}

/** `!Sub x` is `{ Fn::Sub: x }`, and `!Ref x` `{ Ref: x }`. */
function longForm(node: Node & { tag?: string | undefined }): YAMLMap | undefined {
  const name = /^!(\w+)$/.exec(node.tag ?? '')?.[1]
  if (name === undefined) return undefined
  delete node.tag
  const map = new YAMLMap()
  map.items.push(new Pair(new Scalar(name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`), node))
  return map
}

function refused(problem: string): Read {
  return { ok: false, problem }
}
