import { groupBy } from '../lib/maps.ts'
import type { Database } from '../rds/database.ts'

/**
 * Returns a function that returns, for each of these databases, those before it with the same host, in their order: of thousands
 * of databases, each is compared with few.
 */
export function earlierOnHost(databases: readonly Database[]): (database: Database) => readonly Database[] {
  const byHost = groupBy(databases, ({ host }) => host)
  return database => {
    const alike = byHost.get(database.host) ?? []
    return alike.slice(0, alike.indexOf(database))
  }
}
