import { isAlias, isCollection, isMap, isScalar } from 'yaml'
import { API_KEY_ISSUER } from '../authentication/api-key.ts'
import { aliasTargets, walkYaml, type YamlNode } from '../lib/yaml-nodes.ts'
import { isShownPlace } from './shown-places.ts'
import type { YamlText } from './yaml-document.ts'

/** Returns the nodes that stand at a place which is shown, but are used at one that is not, or name API keys. */
export function findSecretNodes(document: YamlText['document']): Set<YamlNode> {
  const targets = aliasTargets(document)
  const hidden = new Set<YamlNode>()
  for (const { node, path } of walkYaml(document)) {
    if (isAlias(node) && !isShownPlace(path)) hide(targets.get(node))
    if (
      isMap(node) &&
      path.at(-1) === 'principal' &&
      scalarValue(node.get('issuer', true)) === API_KEY_ISSUER
    )
      hide(node.get('subject', true))
  }
  return hidden

  /** Aliases are targets themselves, so that none is followed. */
  function hide(node: unknown): void {
    if (isScalar(node)) hidden.add(node as YamlNode)
    else if (isCollection(node) && !hidden.has(node as YamlNode)) {
      hidden.add(node as YamlNode)
      for (const item of node.items) for (const inner of membersOf(item)) hide(inner)
    }
  }
}

function scalarValue(node: unknown): unknown {
  return isScalar(node) ? node.value : undefined
}

function membersOf(item: unknown): unknown[] {
  return typeof item === 'object' && item !== null && 'key' in item && 'value' in item
    ? [item.key, item.value]
    : [item]
}
