import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isPair,
  isScalar,
  LineCounter,
  type Pair,
  type ParsedNode,
  parseDocument,
  type Scalar,
} from 'yaml'
import type { Segments } from './problems.ts'

/** A YAML text as its parser sees it, errors and all. */
export interface YamlText {
  readonly document: Document.Parsed
  readonly lineCounter: LineCounter
}

/**
 * Parses YAML 1.2, whatever version the text declares; nothing in it is resolved yet. Never throws for a fault in the text:
 * `document.errors` has them. Does not look for keys that a mapping has twice.
 */
export function readYaml(text: string): YamlText {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    logLevel: 'error',
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
    // its search takes the square of the number of keys
    uniqueKeys: false,
  })
  return { document, lineCounter }
}

export type YamlNode = Scalar | Alias | Extract<ParsedNode, { items: unknown[] }>

/** A node where it stands in the text. The path of a key is that of its value. */
export interface PlacedNode {
  readonly node: YamlNode
  readonly path: Segments
  /** The pair that the node is the key or the value of. */
  readonly pair: Pair | undefined
  readonly isKey: boolean
}

/** Yields every node once, in the order of the text; what an alias stands for is not visited again. Does not recurse. */
export function* walkYaml({ contents }: Document.Parsed): Generator<PlacedNode> {
  const stack: PlacedNode[] = []
  push(stack, [], { node: contents, pair: undefined, isKey: false })
  for (let placed = stack.pop(); placed; placed = stack.pop()) {
    yield placed
    const { node, path } = placed
    if (!isCollection(node)) continue
    for (let i = node.items.length - 1; i >= 0; i--) {
      const item: unknown = node.items[i]
      if (isPair(item)) {
        const below = [...path, keyText(item.key)]
        push(stack, below, { node: item.value, pair: item, isKey: false })
        push(stack, below, { node: item.key, pair: item, isKey: true })
      } else push(stack, [...path, i], { node: item, pair: undefined, isKey: false })
    }
  }
}

function push(
  stack: PlacedNode[],
  path: Segments,
  { node, pair, isKey }: { node: unknown; pair: Pair | undefined; isKey: boolean },
): void {
  if (isScalar(node) || isAlias(node) || isCollection(node))
    stack.push({ node: node as YamlNode, path, pair, isKey })
}

/** Returns the name that a key has in the value of its mapping. */
export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}

/** Returns what each alias stands for: the last node before it that has its anchor. Leaves out those without an anchor. */
export function aliasTargets(document: Document.Parsed): Map<Alias, YamlNode> {
  const anchors = new Map<string, YamlNode>()
  const targets = new Map<Alias, YamlNode>()
  for (const { node } of walkYaml(document)) {
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target) targets.set(node, target)
    } else if (node.anchor) anchors.set(node.anchor, node)
  }
  return targets
}
