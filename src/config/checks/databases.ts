import { checkDatabase } from '../../rds/check-database.ts'
import { type Database, resourceKey } from '../../rds/database.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'

/** Returns the databases without problems. */
export function checkDatabases(entries: Sections['databases'], report: Report): Database[] {
  const databases = entries.flatMap(([name, { limits, ...spec }]) => {
    const checked = checkDatabase({ name, ...spec, newTokensPerSecond: limits?.newTokensPerSecond })
    if (checked.ok) return checked.database
    for (const { path, message } of checked.problems) report.problem(message, name, path)
    return []
  })
  checkSharedLimits(databases, report)
  return databases
}

/** RDS throttles by resource, so databases with the same resource share its slots and cannot have limits of their own. */
function checkSharedLimits(databases: readonly Database[], report: Report): void {
  const firstByResource = new Map<string, Database>()
  for (const database of databases) {
    const { name, newTokensPerSecond } = database
    const key = resourceKey(database)
    const first = firstByResource.get(key)
    if (first === undefined) firstByResource.set(key, database)
    else if (first.newTokensPerSecond !== newTokensPerSecond)
      report.problem(
        `is ${newTokensPerSecond} here and ${first.newTokensPerSecond} in databases.${first.name}, which has the same resourceId and so shares this limit: use the same value in both`,
        name,
        'limits',
        'newTokensPerSecond',
      )
  }
}
