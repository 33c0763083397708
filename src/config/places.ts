import { isAlias, isCollection, isMap, isPair, isScalar, type Pair, type YAMLMap } from 'yaml'
import { aliasTargets, keyText, type YamlNode } from '../lib/yaml-nodes.ts'
import type { Segments } from './problems.ts'
import { readYaml, withoutMark } from './yaml/yaml-document.ts'

/** A place in a text: both count from 1, columns in UTF-16 units as editors do. */
export interface TextPlace {
  readonly line: number
  readonly column: number
}

interface Found {
  readonly node: unknown
  /** The key that it is the value of. */
  readonly key?: unknown
}

/**
 * Returns a function that finds where a path stands in a configuration, YAML or JSON: at its value; at its key, if that is
 * meant, or if the value is empty, a mapping or a list. A path that is missing stands at the mapping that lacks it, and what
 * an alias stands for, where it is written.
 */
export function createPlaceFinder(text: string): (path: Segments, isKeyMeant?: boolean) => TextPlace {
  const { document, lineCounter } = readYaml(withoutMark(text))
  const targets = aliasTargets(document)
  const resolved = (node: unknown) => (isAlias(node) ? targets.get(node) : node)
  const childOf = createChildFinder()

  function find(path: Segments): { found: Found; isMissing: boolean } {
    let found: Found = { node: document.contents }
    for (const segment of path) {
      const next = childOf(resolved(found.node), segment)
      if (next === undefined) return { found, isMissing: true }
      found = next
    }
    return { found, isMissing: false }
  }

  return (path, isKeyMeant = false) => {
    const { found, isMissing } = find(path)
    const node = resolved(found.node) as YamlNode | null | undefined
    const isEmpty = node === null || node === undefined || (isScalar(node) && node.source === '')
    const standsAtKey = isScalar(found.key) && (isMissing || isKeyMeant || isCollection(node) || isEmpty)
    const offset = (standsAtKey ? (found.key as YamlNode) : node)?.range?.[0] ?? 0
    const { line, col } = lineCounter.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

/** A mapping may have thousands of keys with a problem each, so they are searched once. */
function createChildFinder(): (node: unknown, segment: string | number) => Found | undefined {
  const pairsOf = new Map<YAMLMap, Map<string, Pair>>()

  return (node, segment) => {
    if (!isCollection(node)) return undefined
    if (!isMap(node)) {
      const item: unknown = typeof segment === 'number' ? node.items[segment] : undefined
      return item === undefined || isPair(item) ? undefined : { node: item }
    }
    const pairs = pairsOf.get(node) ?? new Map(node.items.map(pair => [keyText(pair.key), pair]))
    pairsOf.set(node, pairs)
    const pair = pairs.get(String(segment))
    return pair && { node: pair.value, key: pair.key }
  }
}
