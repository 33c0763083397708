import type { Database } from './database.ts'

type AccountRequest = Pick<Database, 'engine' | 'kind' | 'users'>

const POSTGRES = [
  'Run this as a user that may create other users, such as the master user.',
  'Members of rds_iam log in with IAM tokens only: the role takes precedence over a password.',
  'So never grant it to the master user, whose password would stop working.',
  'A user with rds_iam can use neither Kerberos (rds_ad) nor replication connections.',
  'The users have no privileges yet: grant them what they need, and no more.',
]
const MYSQL = [
  'Run this as a user that may create other users, such as the master user.',
  'The users log in with IAM tokens only, over TLS only, from any host.',
  'If this fails with error 1524 (plugin is not loaded), enable IAM authentication for the database first.',
  'The users have no privileges yet: grant them what they need, and no more.',
]
const PROXY = [
  'Callers log in to the RDS proxy with a token. Create these users if the proxy logs in to the database with IAM, too.',
  'A proxy that takes passwords from Secrets Manager needs users with those passwords instead.',
]

/**
 * Returns the SQL that creates the accounts of database users that log in with tokens, with comments on the consequences.
 * Names are quoted so that they stay names in every SQL mode and in the engines' own clients. Does not check their length.
 * Throws RangeError for a name that is empty or contains U+0000 or an unpaired surrogate.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
 */
export function accountSql({ engine, kind, users }: AccountRequest): string {
  const isPostgres = engine === 'postgres'
  const comments = [...(isPostgres ? POSTGRES : MYSQL), ...(kind === 'proxy' ? PROXY : [])]
  const lines = [
    ...comments.map(line => `-- ${line}`),
    ...encodingStatement(users, isPostgres ? "SET client_encoding = 'UTF8';" : 'SET NAMES utf8mb4;'),
    ...users.flatMap(isPostgres ? postgresAccount : mysqlAccount),
  ]
  return `${lines.join('\n')}\n`
}

function postgresAccount(user: string): string[] {
  const name = quotePostgresName(user)
  return [`CREATE USER ${name} WITH LOGIN;`, `GRANT rds_iam TO ${name};`]
}

function mysqlAccount(user: string): string[] {
  return [
    `CREATE USER ${quoteMysqlName(user)}@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;`,
  ]
}

/** Quotes a name. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
export function quotePostgresName(name: string): string {
  return `"${validName(name).replaceAll('"', '""')}"`
}

/**
 * Quotes a name in backticks, because the meaning of quotation marks and backslashes depends on the SQL modes ANSI_QUOTES
 * and NO_BACKSLASH_ESCAPES.
 * https://dev.mysql.com/doc/refman/8.4/en/account-names.html
 */
export function quoteMysqlName(name: string): string {
  return `\`${validName(name).replaceAll('`', '``')}\``
}

function validName(name: string): string {
  if (name === '' || /[\0\p{Cs}]/u.test(name))
    throw new RangeError(
      'no database user can have this name: it is empty, or contains U+0000 or an unpaired surrogate',
    )
  return name
}

/** In another encoding, the last byte of a name could swallow the closing quote. */
function encodingStatement(users: readonly string[], statement: string): string[] {
  return users.some(user => /[^\0-\x7f]/.test(user)) ? [statement] : []
}
