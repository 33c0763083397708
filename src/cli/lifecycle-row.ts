import type { LifecycleRecord } from '../audit/lifecycle-record.ts'
import { isJsonObject } from '../lib/json.ts'
import { shorten } from '../lib/printable.ts'
import { auditCell as cell, NONE } from './audit-row.ts'

const HASH_LENGTH = 12
const MAX_CHANGES_LENGTH = 100
const LIST_SIGNS = { added: '+', removed: '-', changed: '~' } as const

/**
 * Returns the cells of a lifecycle record for people, in the columns of the other records: what happened is the decision, the
 * instance its source, and the detail has the configuration's hash and place, and what changed, as `grants +new -old ~other`,
 * or what ended the process. Expects values of any type, and escapes every text.
 */
export function lifecycleRow(record: LifecycleRecord): string[] {
  const { type, time, instance, configuration, changes, problems, signal } = record
  const detail = [
    `${cell(configuration?.sha256).slice(0, HASH_LENGTH)} ${cell(configuration?.source)}`,
    ...(isJsonObject(changes) ? [changesText(changes)] : []),
    ...(problems === undefined ? [] : [`problems: ${cell(problems)}`]),
    ...(signal === undefined ? [] : [cell(signal)]),
  ]
  const name = cell(type).replace('jeton.audit.', '')
  return [cell(time), name, NONE, NONE, NONE, NONE, cell(instance), detail.join(', ')]
}

function changesText(changes: object): string {
  const parts = Object.entries(changes).map(([section, names]) =>
    Array.isArray(names)
      ? `${cell(section)} ${listText(names, '~')}`
      : `${cell(section)} ${namesText(names)}`,
  )
  return parts.length === 0 ? 'no changes' : shorten(parts.join(', '), MAX_CHANGES_LENGTH)
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
