import type { YAMLMap, YAMLSeq } from 'yaml'
import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isPair,
  isScalar,
  type Pair,
  type Scalar,
} from 'yaml'

export type YamlNode = Scalar | Alias | YAMLMap | YAMLSeq

/** A node where it stands in the text. The path of a key is that of its value. */
export interface PlacedNode {
  readonly node: YamlNode
  readonly path: readonly (string | number)[]
  /** The pair that the node is the key or the value of. */
  readonly pair: Pair | undefined
  readonly isKey: boolean
}

/** Yields every node once, in the order of the text; what an alias stands for is not visited again. Does not recurse. */
export function* walkYaml({ contents }: Pick<Document, 'contents'>): Generator<PlacedNode> {
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
  path: PlacedNode['path'],
  { node, pair, isKey }: { node: unknown; pair: Pair | undefined; isKey: boolean },
): void {
  if (isScalar(node) || isAlias(node) || isCollection(node))
    stack.push({ node: node as YamlNode, path, pair, isKey })
}

/** Returns the name that a key has in the value of its mapping; empty for a key that is no scalar. */
export function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : ''
}

/** What each alias stands for: the last node before it that has its anchor. Those without one are left out. */
export function aliasTargets(document: Pick<Document, 'contents'>): Map<Alias, YamlNode> {
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

/** A key that its mapping has already. */
export interface RepeatedKey {
  readonly key: Scalar
  readonly first: Scalar
}

/** Returns the keys that stand in one mapping twice. The parser finds them too, but takes the square of their number. */
export function repeatedKeys(document: Pick<Document, 'contents'>): RepeatedKey[] {
  const repeated: RepeatedKey[] = []
  for (const { node } of walkYaml(document)) {
    if (!isCollection(node)) continue
    const firsts = new Map<unknown, Scalar>()
    for (const item of node.items) {
      const key = isPair(item) ? item.key : undefined
      if (!isScalar(key)) continue
      const first = firsts.get(key.value)
      if (first) repeated.push({ key, first })
      else firsts.set(key.value, key)
    }
  }
  return repeated
}
