import { quoteForShell } from '../lib/shell-words.ts'
import { clientFamily } from './client-family.ts'
import {
  type ClientVariables,
  loginVariables,
  MYSQL_VARIABLES,
  POSTGRES_VARIABLES,
} from './client-variables.ts'
import type { ConnectAddress } from './connect-address.ts'
import { databaseUrl } from './forms/uri.ts'
import type { TokenReply } from './token-reply.ts'

/** What to change in an environment so that a database client logs in. `set` contains the token. */
export interface EnvironmentChanges {
  set: Readonly<Record<string, string>>
  /** Inherited variables that would fail the login, lead it elsewhere or switch its checks off. */
  unset: readonly string[]
}

export interface LoginOptions {
  caFile?: string | undefined
  connectAddress?: ConnectAddress | undefined
}

/** Returns the changes for a reply's engine. Throws as `clientFamily` does. */
export function environmentChanges(reply: TokenReply, options: LoginOptions): EnvironmentChanges {
  return clientFamily(reply) === 'postgres' ? forPostgres(reply, options) : forMysql(reply, options)
}

/**
 * For libpq and drivers that read its variables. PGHOST stays RDS's own name, which the certificate is checked for and the
 * token is signed for; only the address to connect to changes. client-variables.ts says why each variable is set or removed.
 */
function forPostgres(reply: TokenReply, { caFile, connectAddress }: LoginOptions): EnvironmentChanges {
  const set = {
    DATABASE_URL: databaseUrl({ reply, caFile, connectAddress }),
    PGHOST: reply.host,
    PGPORT: String(connectAddress?.port ?? reply.port),
    PGUSER: reply.user,
    PGPASSWORD: reply.token,
    PGSSLMODE: 'verify-full',
    // neither is left to its default: with a ticket, or a certificate in ~/.postgresql, libpq would try these first
    PGGSSENCMODE: 'disable',
    PGSSLCERTMODE: 'disable',
    ...(caFile !== undefined && { PGSSLROOTCERT: caFile }),
    ...(reply.dbname !== undefined && { PGDATABASE: reply.dbname }),
    ...(connectAddress && { PGHOSTADDR: connectAddress.address }),
  }
  return changesOf(set, POSTGRES_VARIABLES)
}

/**
 * The MySQL and MariaDB command-line clients read MYSQL_HOST, MYSQL_TCP_PORT and MYSQL_PWD; the others are for scripts.
 * None of them makes a client check the server: an option file does (mysql-options.ts), which also has the connect address.
 * MYSQL_HOST stays RDS's own name, as PGHOST does.
 */
function forMysql(reply: TokenReply, { caFile, connectAddress }: LoginOptions): EnvironmentChanges {
  const set = {
    DATABASE_URL: databaseUrl({ reply, caFile, connectAddress }),
    MYSQL_HOST: reply.host,
    MYSQL_TCP_PORT: String(connectAddress?.port ?? reply.port),
    MYSQL_USER: reply.user,
    MYSQL_PWD: reply.token,
    ...(caFile !== undefined && { MYSQL_SSL_CA: caFile }),
    ...(reply.dbname !== undefined && { MYSQL_DATABASE: reply.dbname }),
  }
  return changesOf(set, MYSQL_VARIABLES)
}

/** Returns the changes that set these variables, and remove the others of the table that belong to the login. */
export function changesOf(
  set: Readonly<Record<string, string>>,
  variables: ClientVariables,
): EnvironmentChanges {
  return { set, unset: loginVariables(variables).filter(name => !(name in set)) }
}

/** Returns the changes as commands of a POSIX shell. Every value is in single quotes, so that none of it is executed. */
export function shellCommands({ set, unset }: EnvironmentChanges): string {
  const exports = Object.entries(set).map(([name, value]) => `export ${name}=${quoteForShell(value)}\n`)
  return `unset ${unset.join(' ')}\n${exports.join('')}`
}
