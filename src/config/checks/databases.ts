import { checkDatabase } from '../../rds/check-database.ts'
import { type Database, resourceKey } from '../../rds/database.ts'
import { earlierOnHost } from '../earlier-on-host.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'

/** Returns the databases without problems. */
export function checkDatabases(entries: Sections['databases'], report: Report): Database[] {
  const databases = entries.flatMap(([name, { limits, ...spec }]) => {
    const checked = checkDatabase({ name, ...spec, newTokensPerSecond: limits?.newTokensPerSecond })
    if (checked.ok) return checked.database
    for (const { path, message } of checked.problems) report.problem(message, name, ...segmentsOf(path))
    return []
  })
  checkSharedLimits(databases, report)
  checkTwins(databases, report)
  return databases
}

/** Returns the name and the position in a path such as `users[1]`. */
function segmentsOf(path: string): (string | number)[] {
  const [, list, position] = /^(\w+)\[(\d+)\]$/.exec(path) ?? []
  return list === undefined ? [path] : [list, Number(position)]
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

/** What AWS gives an endpoint only once, with the key that has it. */
const FACTS_OF_ENDPOINT = [
  ['resourceId', 'resourceId'],
  ['engine', 'engine'],
  ['account', 'roleArn'],
] as const
const FACT_NAMES = { resourceId: 'resource id', engine: 'engine', account: 'account' } as const

/** Of two databases that contradict each other about one endpoint, one never works. */
function checkTwins(databases: readonly Database[], report: Report): void {
  const earlierOf = earlierOnHost(databases)
  for (const database of databases) {
    const twins = earlierOf(database)
    for (const [fact, key] of FACTS_OF_ENDPOINT) {
      const twin = twins.find(other => other[fact] !== database[fact])
      if (twin)
        report.problem(
          `has the ${FACT_NAMES[fact]} ${database[fact]}, but databases.${twin.name} has ${twin[fact]} for the same host: one of the two is wrong`,
          database.name,
          key,
        )
    }
  }
}
