import { isAlias, isScalar, type Scalar } from 'yaml'
import { isTooLargeFor } from '../../lib/expanded-weight.ts'
import { aliasTargets, walkYaml } from '../../lib/yaml-nodes.ts'
import { ConfigError } from '../problems.ts'
import { findTextFault, type TextFault } from './text-faults.ts'
import { readYaml, withoutMark, type YamlText } from './yaml-document.ts'
import { findYamlFaults } from './yaml-faults.ts'

/**
 * Returns the value of a YAML 1.2 or JSON text. A number in `claims` that would not print as it was written (1.10, 0123,
 * 1e5, an id beyond 2^53) becomes the text that was written, because claims compare by their text. Throws `ConfigError`
 * with line and column if the text is neither; never quotes the text.
 */
export function parseConfigText(configText: string): unknown {
  const text = withoutMark(configText)
  const yaml = readYaml(text)
  const textFault = findTextFault(text)
  const faults = textFault ? [textFault] : findYamlFaults(yaml, text)
  if (faults.length > 0) throw unreadable(faults, yaml)
  const changed = keepClaimsAsWritten(yaml)
  if (changed.length > 0) throw unreadable(changed, yaml)
  const value = resolve(yaml)
  if (isTooLargeFor(text.length, value))
    throw unreadable([{ offset: 0, message: 'its aliases stand for too much: write less of it' }], yaml)
  return value
}

function resolve(yaml: YamlText): unknown {
  try {
    // how much aliases stand for is weighed, which does not depend on how they are nested
    return yaml.document.toJS({ maxAliasCount: -1 })
  } catch {
    throw unreadable([{ offset: 0, message: 'it is nested too deeply' }], yaml)
  }
}

/** Returns the numbers that cannot be kept: those that stand elsewhere, where they are numbers, and are used in claims. */
function keepClaimsAsWritten({ document }: YamlText): TextFault[] {
  const targets = aliasTargets(document)
  const kept = new Set<unknown>()
  const faults: TextFault[] = []
  for (const { node, path, isKey } of walkYaml(document)) {
    if (isKey || !path.includes('claims')) continue
    if (isScalar(node) && isChangedNumber(node)) {
      node.value = node.source
      kept.add(node)
    }
    const target = isAlias(node) ? targets.get(node) : undefined
    if (isScalar(target) && !kept.has(target) && isChangedNumber(target))
      faults.push({ offset: target.range?.[0] ?? 0, message: CHANGED_NUMBER })
  }
  return faults
}

const CHANGED_NUMBER =
  'a number that a claim is an alias of would not be compared as it is written: put it in quotes'

function isChangedNumber({ value, source }: Scalar): boolean {
  return typeof value === 'number' && source !== undefined && source !== '' && source !== String(value)
}

function unreadable(faults: readonly TextFault[], { lineCounter }: YamlText): ConfigError {
  return new ConfigError(
    faults.map(({ offset, message }) => {
      const { line, col } = lineCounter.linePos(offset)
      return { path: '', message, line: Math.max(line, 1), column: Math.max(col, 1) }
    }),
  )
}
