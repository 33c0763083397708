import { isScalar } from 'yaml'
import { isTooLargeFor } from '../lib/expanded-weight.ts'
import { walkYaml } from '../lib/yaml-nodes.ts'
import { ConfigError } from './problems.ts'
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
  keepClaimsAsWritten(yaml)
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

function keepClaimsAsWritten({ document }: YamlText): void {
  for (const { node, path, isKey } of walkYaml(document)) {
    if (isKey || !isScalar(node) || !path.includes('claims')) continue
    const { value, source } = node
    if (typeof value === 'number' && source && source !== String(value)) node.value = source
  }
}

function unreadable(faults: readonly TextFault[], { lineCounter }: YamlText): ConfigError {
  return new ConfigError(
    faults.map(({ offset, message }) => {
      const { line, col } = lineCounter.linePos(offset)
      return { path: '', message, line: Math.max(line, 1), column: Math.max(col, 1) }
    }),
  )
}
