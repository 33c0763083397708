import type { LifecycleRecord } from '../audit/lifecycle-record.ts'
import { isJsonObject } from '../lib/json.ts'
import { escapeText, shorten } from '../lib/printable.ts'

const HASH_LENGTH = 12
const MAX_CELL_LENGTH = 100
const NONE = '-'
const LIST_SIGNS = { added: '+', removed: '-', changed: '~' } as const

/**
 * Returns a lifecycle record as one row for people: time, what happened, instance, the configuration's hash and place, and
 * what changed, as `grants +new -old ~other`, or what ended it. Expects values of any type, and escapes every text.
 */
export function formatLifecycleRow(record: LifecycleRecord): string {
  const { type, time, instance, configuration, changes, problems, signal } = record
  const cells = [
    cell(time),
    cell(type).replace('jeton.audit.', ''),
    cell(instance),
    `${cell(configuration?.sha256).slice(0, HASH_LENGTH)} ${cell(configuration?.source)}`,
    ...(isJsonObject(changes) ? [changesText(changes)] : []),
    ...(problems === undefined ? [] : [`problems: ${cell(problems)}`]),
    ...(signal === undefined ? [] : [cell(signal)]),
  ]
  return cells.join('  ')
}

function changesText(changes: object): string {
  const parts = Object.entries(changes).map(([section, names]) =>
    Array.isArray(names)
      ? `${cell(section)} ${listText(names, '~')}`
      : `${cell(section)} ${namesText(names)}`,
  )
  return parts.length === 0 ? 'no changes' : shorten(parts.join(', '), MAX_CELL_LENGTH)
}

function namesText(names: unknown): string {
  if (!isJsonObject(names)) return NONE
  const lists = Object.entries(LIST_SIGNS).flatMap(([list, sign]) =>
    Array.isArray(names[list]) ? [listText(names[list], sign)] : [],
  )
  return [...lists, ...(names.reordered === true ? ['reordered'] : [])].join(' ')
}

function listText(names: readonly unknown[], sign: string): string {
  return names.map(name => `${sign}${cell(name)}`).join(' ')
}

function cell(value: unknown): string {
  const isScalar = typeof value === 'string' || typeof value === 'number'
  return isScalar ? shorten(escapeText(String(value)), MAX_CELL_LENGTH) || NONE : NONE
}
