import { checkDatabase } from '../../rds/check-database.ts'
import { type Database, resourceKey } from '../../rds/database.ts'
import type { Report } from '../report.ts'
import type { ConfigFile } from '../schema.ts'

type DatabaseSection = ConfigFile['databases'][string]

export function checkDatabaseSection(
  [name, { limits, ...spec }]: readonly [string, DatabaseSection],
  report: Report,
): Database | undefined {
  const described = checkDatabase({ name, ...spec, newTokensPerSecond: limits?.newTokensPerSecond })
  if (described.ok) return described.database
  for (const { path, message } of described.problems) report.problem(message, path)
  return undefined
}

/** RDS throttles by resource, so databases of one resource share its turns: they cannot each have a pace of their own. */
export function checkShared(databases: readonly Database[], report: Report): void {
  const first = new Map<string, Database>()
  for (const database of databases) {
    const { name, newTokensPerSecond } = database
    const key = resourceKey(database)
    const other = first.get(key)
    if (other === undefined) first.set(key, database)
    else if (other.newTokensPerSecond !== newTokensPerSecond)
      report.problem(
        `is ${newTokensPerSecond} here and ${other.newTokensPerSecond} in databases.${other.name}, which has the same resourceId and so shares its turns: give both the same`,
        name,
        'limits',
        'newTokensPerSecond',
      )
  }
}
