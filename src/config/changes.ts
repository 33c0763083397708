import { isDeepStrictEqual } from 'node:util'
import { distinct } from '../lib/maps.ts'
import type { Config } from './config.ts'
import { keyChanges } from './key-changes.ts'

/** How many names each list has at most; `omitted` counts the others. */
const MAX_NAMES = 100

/** The names of what differs between two configurations; an empty list is left out. */
export interface NameChanges {
  readonly added?: readonly string[]
  readonly removed?: readonly string[]
  readonly changed?: readonly string[]
  /** How many names were too many for these lists. */
  readonly omitted?: number
}

export interface GrantChanges extends NameChanges {
  /** Whether those in both have another order: of several that allow a request, the first counts. */
  readonly reordered?: true
}

/** What differs between two configurations, by name and without any value; what does not differ is left out. */
export interface ConfigChanges {
  readonly issuers?: NameChanges
  readonly apiKeys?: NameChanges
  readonly databases?: NameChanges
  readonly grants?: GrantChanges
  readonly operators?: NameChanges
  /** Which of `server`, `store` and `audit` differ. */
  readonly sections?: readonly string[]
}

/** Returns what differs between two configurations, with the content of the files that they name. */
export function configChanges(before: Config, after: Config): ConfigChanges {
  const named = (list: readonly { readonly name: string }[]) => new Map(list.map(each => [each.name, each]))
  const sections = distinct(keyChanges(before, after).map(({ section }) => section))
  return withoutEmpty({
    issuers: nameChanges(named(before.issuers), named(after.issuers)),
    apiKeys: nameChanges(new Map(Object.entries(before.apiKeys)), new Map(Object.entries(after.apiKeys))),
    databases: nameChanges(named(before.databases), named(after.databases)),
    grants: grantChanges(named(before.grants), named(after.grants)),
    operators: nameChanges(named(before.operators ?? []), named(after.operators ?? [])),
    sections,
  })
}

function grantChanges(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): GrantChanges {
  const [orderBefore, orderAfter] = [
    [...before.keys()].filter(name => after.has(name)),
    [...after.keys()].filter(name => before.has(name)),
  ]
  const isReordered = orderBefore.some((name, i) => name !== orderAfter[i])
  return { ...nameChanges(before, after), ...(isReordered && { reordered: true }) }
}

function nameChanges(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): NameChanges {
  const lists = {
    added: [...after.keys()].filter(name => !before.has(name)),
    removed: [...before.keys()].filter(name => !after.has(name)),
    changed: [...after.keys()].filter(
      name => before.has(name) && !isDeepStrictEqual(before.get(name), after.get(name)),
    ),
  }
  const cut = Object.entries(lists).map(([list, names]) => [list, names.slice(0, MAX_NAMES)] as const)
  const omitted = Object.values(lists).reduce((sum, names) => sum + Math.max(0, names.length - MAX_NAMES), 0)
  return { ...withoutEmpty(Object.fromEntries(cut)), ...(omitted > 0 && { omitted }) }
}

/** Leaves out members that are empty lists or objects. */
function withoutEmpty<T extends object>(members: T): Partial<T> {
  const full = Object.entries(members).filter(([, value]) => Object.keys(value).length > 0)
  return Object.fromEntries(full) as Partial<T>
}
