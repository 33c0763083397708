import { groupBy } from '../lib/maps.ts'
import { type Database, resourceKey } from './database.ts'

/** What RDS throttles logins by: the databases of a configuration that share it. */
export interface RdsResource {
  readonly key: string
  /** The resource's id; the key, with account and region, if two have the same id. */
  readonly name: string
  readonly databases: readonly [Database, ...Database[]]
}

/** Returns the resources of the databases, in their order. */
export function resourcesOf(databases: readonly Database[]): RdsResource[] {
  const groups = [...groupBy(databases, resourceKey)]
  const ids = groupBy(groups, ([, [first]]) => first?.resourceId)
  return groups.flatMap(([key, [first, ...others]]) => {
    if (!first) return []
    const isUnique = ids.get(first.resourceId)?.length === 1
    return [{ key, name: isUnique ? first.resourceId : key, databases: [first, ...others] }]
  })
}
