import type { Database, Engine } from '../../rds/database.ts'
import { earlierOnHost } from '../earlier-on-host.ts'
import type { Report } from '../problems.ts'

/** The names that RDS's console suggests for the master user. */
const MASTER_USERS: Readonly<Record<Engine, readonly string[]>> = {
  postgres: ['postgres', 'rdsroot'],
  mysql: ['admin', 'root'],
  mariadb: ['admin', 'root'],
}

/** Warns of users that may do anything, and of databases that are the same under two names. */
export function warnOfDatabases(databases: readonly Database[], report: Report): void {
  const earlierOf = earlierOnHost(databases)
  for (const database of databases) {
    const at = report.at(database.name)
    database.users.forEach((user, index) => {
      if (MASTER_USERS[database.engine].includes(user))
        at.problem(
          `is ${user}, which is mostly the master user and may do anything; in PostgreSQL, its password stops working as soon as it logs in with tokens (rds_iam): create a user with fewer privileges`,
          'users',
          index,
        )
    })
    const twin = earlierOf(database).find(other => isSame(other, database))
    if (twin)
      at.problem(
        `has the endpoint, the database and a user of databases.${twin.name}: callers of the two do not share tokens, and each name costs RDS logins of its own; use one name`,
      )
  }
}

/** Whether two databases with one host are the same. */
function isSame(one: Database, other: Database): boolean {
  const connectOf = ({ connect, host, port }: Database) => `${connect?.host ?? host}:${connect?.port ?? port}`
  return (
    one.port === other.port &&
    one.dbname === other.dbname &&
    connectOf(one) === connectOf(other) &&
    one.users.some(user => other.users.includes(user))
  )
}
