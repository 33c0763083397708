import type { Database } from './database.ts'

type Accounts = Pick<Database, 'engine' | 'kind'> & { readonly users: readonly string[] }

const POSTGRES = [
  'To be run as a user that may create others, as the master user may.',
  'Who is in rds_iam logs in with IAM tokens alone: it takes precedence over a password.',
  'So never grant it to the master user, whose password would no longer log in.',
  'It excludes Kerberos (rds_ad) for the same user, and replication connections.',
  'The users may do nothing yet: grant them what their work needs, and no more.',
]
const MYSQL = [
  'To be run as a user that may create others, as the master user may.',
  'The users log in with IAM tokens alone, over TLS alone, from any host.',
  'Error 1524 (plugin is not loaded): enable IAM authentication for the database first.',
  'The users may do nothing yet: grant them what their work needs, and no more.',
]
const PROXY = [
  'Callers log in to an RDS proxy with a token. Users like these are for a proxy that logs in to the database by IAM too;',
  'one that takes passwords from Secrets Manager needs users with these passwords instead.',
]

/**
 * The SQL that makes the accounts of database users that log in with tokens, with comments on what that entails. Whatever
 * the names are, they stay names, in every SQL mode and in the engines' own clients; that the engine takes so long a name is
 * not checked. Throws RangeError for an empty name, and for one with U+0000 or half a character in it, which no database
 * can have.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
 */
export function accountSql({ engine, kind, users }: Accounts): string {
  const isPostgres = engine === 'postgres'
  const comments = [...(isPostgres ? POSTGRES : MYSQL), ...(kind === 'proxy' ? PROXY : [])]
  const lines = [
    ...comments.map(line => `-- ${line}`),
    ...encodingFor(users, isPostgres ? "SET client_encoding = 'UTF8';" : 'SET NAMES utf8mb4;'),
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

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
export function quotePostgresName(name: string): string {
  return `"${checked(name).replaceAll('"', '""')}"`
}

/**
 * In backticks: what a quotation mark means depends on ANSI_QUOTES, and a backslash in text on NO_BACKSLASH_ESCAPES, in
 * server and client.
 * https://dev.mysql.com/doc/refman/8.4/en/account-names.html
 */
export function quoteMysqlName(name: string): string {
  return `\`${checked(name).replaceAll('`', '``')}\``
}

function checked(name: string): string {
  if (name === '' || /[\0\p{Cs}]/u.test(name))
    throw new RangeError(
      'no database user can have this name: it is empty, or has U+0000 or half a character in it',
    )
  return name
}

/** Read in another encoding, the last byte of a name could swallow the quote that ends it. */
function encodingFor(users: readonly string[], statement: string): string[] {
  return users.some(user => /[^\0-\x7f]/.test(user)) ? [statement] : []
}
