import { isAlias, isCollection, isMap, isScalar, type YAMLMap } from 'yaml'
import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import { findNearSpelling } from '../../lib/near-spelling.ts'
import { aliasTargets, keyText, walkYaml, type YamlNode } from '../../lib/yaml-nodes.ts'
import { nameIn } from '../problems.ts'
import type { YamlText } from '../yaml/yaml-document.ts'
import { isShownPlace } from './shown-places.ts'

/** Returns the nodes that stand at a place which is shown, but are used at one that is not, or name API keys. */
export function findSecretNodes(document: YamlText['document']): Set<YamlNode> {
  const targets = aliasTargets(document)
  const hidden = new Set<YamlNode>()
  for (const { node, path } of walkYaml(document)) {
    if (isAlias(node) && !isShownPlace(path)) hide(targets.get(node))
    if (isMap(node) && namesApiKeys(node))
      for (const { key, value } of node.items) {
        if (!mayBeIssuer(value) && keyText(key) !== 'issuer') hide(value)
      }
  }
  return hidden

  /** Aliases are targets themselves, so that none is followed; one without an anchor is text without quotes. */
  function hide(node: unknown): void {
    if (isScalar(node) || isAlias(node)) hidden.add(node as YamlNode)
    else if (isCollection(node) && !hidden.has(node as YamlNode)) {
      hidden.add(node as YamlNode)
      for (const item of node.items) for (const inner of membersOf(item)) hide(inner)
    }
  }
}

/** Whether a mapping is a principal with an API key, whatever of it is misspelled: `apikey`, `issuer:apiKey`. */
function namesApiKeys({ items }: YAMLMap): boolean {
  return items.some(({ key, value }) => {
    const text = keyText(key)
    return mayBeIssuer(value) || (text !== nameIn(text) && text.endsWith(API_KEY_ISSUER))
  })
}

function mayBeIssuer(node: unknown): boolean {
  if (!isScalar(node) || typeof node.value !== 'string') return false
  return node.value === API_KEY_ISSUER || findNearSpelling(node.value, [API_KEY_ISSUER]) !== undefined
}

function membersOf(item: unknown): unknown[] {
  return typeof item === 'object' && item !== null && 'key' in item && 'value' in item
    ? [item.key, item.value]
    : [item]
}
