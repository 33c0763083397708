import type { LifecycleRecord } from '../../audit/lifecycle-record.ts'
import { isJsonObject } from '../../lib/json.ts'
import { plainText } from '../pieces/shown-text.ts'

const HASH_LENGTH = 12
const HAPPENED: Readonly<Record<LifecycleRecord['type'], string>> = {
  'jeton.audit.started': 'jeton started',
  'jeton.audit.reloaded': 'jeton took another configuration into use',
  'jeton.audit.reload_refused': 'a configuration was broken, and the one before stays in use',
  'jeton.audit.stopped': 'jeton stopped',
}

/** Returns what a lifecycle record says happened, in words. */
export function lifecycleText(type: LifecycleRecord['type']): string {
  return HAPPENED[type]
}

/** Returns what a lifecycle record says of the configuration, on one line. Expects values of any type. */
export function configurationText(record: LifecycleRecord): string {
  const { configuration, changes, problems, signal } = record
  return [
    ...(isJsonObject(changes) ? [changesText(changes)] : []),
    ...(problems === undefined ? [] : [`${plainText(problems)} problems`]),
    ...(signal === undefined ? [] : [`after ${plainText(signal)}`]),
    `configuration ${plainText(configuration?.sha256).slice(0, HASH_LENGTH)} of ${plainText(configuration?.source)}`,
  ].join('; ')
}

/** Returns what a reload changed: `grants: added a, b; removed c`. */
export function changesText(changes: object): string {
  const parts = Object.entries(changes).map(
    ([section, names]) => `${plainText(section)}: ${namesText(names)}`,
  )
  return parts.length === 0 ? 'nothing changed' : parts.join('; ')
}

function namesText(names: unknown): string {
  if (Array.isArray(names)) return names.map(plainText).join(', ')
  if (!isJsonObject(names)) return plainText(names)
  const parts = Object.entries(names).map(([what, value]) => {
    if (value === true) return plainText(what)
    return `${plainText(what)} ${Array.isArray(value) ? value.map(plainText).join(', ') : plainText(value)}`
  })
  return parts.join(', ')
}
