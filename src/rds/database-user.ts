import type { Engine } from './database.ts'

/** PostgreSQL truncates names by bytes; the others count characters. */
const MAX_USER_LENGTH: Readonly<Record<Engine, { length(user: string): number; max: number; unit: string }>> =
  {
    postgres: { length: user => Buffer.byteLength(user), max: 63, unit: 'bytes' },
    mysql: { length: user => user.length, max: 32, unit: 'characters' },
    mariadb: { length: user => user.length, max: 80, unit: 'characters' },
  }

/** Accounts and roles of RDS itself; `rds_iam` and its like cannot log in. */
const OF_RDS = /^(?:rdsadmin|rdsrepladmin|rdstopmgr|rdsproxyadmin|rdswriteforwarduser|rds_.*)$/
/** https://www.postgresql.org/docs/current/sql-createrole.html: PostgreSQL refuses to create these. */
const OF_POSTGRES = /^(?:pg_.*|public|none)$/
/** https://dev.mysql.com/doc/refman/8.4/en/reserved-accounts.html: locked, nobody logs in to them. */
const OF_MYSQL = /^mysql\.(?:sys|session|infoschema)$/

/**
 * Returns why a database user is not allowed, or undefined: `databaseUserArn` puts the name unescaped into a policy, where *, ?
 * and $ have a meaning. Does not check that the account exists. A session policy allows no characters beyond U+00FF:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function findUserProblem(user: string, engine: Engine): string | undefined {
  const { length, max, unit } = MAX_USER_LENGTH[engine]
  if (user === '') return 'is empty'
  if (/[*?$]/.test(user)) return 'contains *, ? or $, which would widen the policy to other users'
  if (/\p{Cc}/u.test(user)) return 'contains control characters'
  if (/[\u0100-\u{10ffff}]/u.test(user))
    return 'contains characters beyond U+00FF, which a session policy cannot hold'
  if (length(user) > max) return `is longer than the ${max} ${unit} that ${engine} allows`
  if (user.trim() !== user) return 'begins or ends with a space: leave it out'
  if (OF_RDS.test(user))
    return `is ${user}, which belongs to RDS itself and which nobody can log in to with a token: create a user of your own`
  if ((engine === 'postgres' ? OF_POSTGRES : OF_MYSQL).test(user))
    return `is ${user}, a name that ${engine} keeps for itself and that nobody can log in to: create a user of your own`
  return undefined
}
