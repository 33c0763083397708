import type { Dial } from './dial.ts'
import { failed } from './errors.ts'
import type { TokenReply } from './token-reply.ts'

/** What to change in an environment so that a database client logs in. `set` holds the token. */
export interface Variables {
  set: Readonly<Record<string, string>>
  /** Inherited ones that would lead the client elsewhere or switch its checks off. */
  unset: readonly string[]
}

export interface VariablesOptions {
  caFile?: string | undefined
  dial?: Dial | undefined
}

/** Which family of clients speaks to an engine. Throws a failure for an engine that this version does not know. */
export function familyOf({ engine }: TokenReply): 'postgres' | 'mysql' {
  if (engine === 'postgres') return 'postgres'
  if (engine === 'mysql' || engine === 'mariadb') return 'mysql'
  throw failed(`the engine ${engine} is not known here: this needs a newer jeton`)
}

export function variablesFor(reply: TokenReply, options: VariablesOptions): Variables {
  return familyOf(reply) === 'postgres' ? postgresVariables(reply, options) : mysqlVariables(reply, options)
}

/**
 * For libpq and drivers that read its variables. PGHOST stays RDS's own name, which the certificate is checked for and the
 * token is signed for; only the dialled address changes. https://www.postgresql.org/docs/current/libpq-envars.html
 */
function postgresVariables(reply: TokenReply, { caFile, dial }: VariablesOptions): Variables {
  return {
    set: {
      PGHOST: reply.host,
      PGPORT: String(dial?.port ?? reply.port),
      PGUSER: reply.user,
      PGPASSWORD: reply.token,
      PGSSLMODE: 'verify-full',
      ...(caFile !== undefined && { PGSSLROOTCERT: caFile }),
      ...(reply.dbname !== undefined && { PGDATABASE: reply.dbname }),
      ...(dial && { PGHOSTADDR: dial.address }),
    },
    unset: [...(dial ? [] : ['PGHOSTADDR']), 'PGSERVICE', 'PGSERVICEFILE', 'PGPASSFILE'],
  }
}

/**
 * The MySQL and MariaDB command-line clients read MYSQL_HOST, MYSQL_TCP_PORT and MYSQL_PWD; the others are for scripts.
 * None of them makes a client check the server: an option file does (mysql-options.ts). With `connect`, the client dials
 * that name and knows no other to check the certificate for.
 */
function mysqlVariables(reply: TokenReply, { caFile, dial }: VariablesOptions): Variables {
  return {
    set: {
      MYSQL_HOST: dial?.host ?? reply.host,
      MYSQL_TCP_PORT: String(dial?.port ?? reply.port),
      MYSQL_USER: reply.user,
      MYSQL_PWD: reply.token,
      ...(caFile !== undefined && { MYSQL_SSL_CA: caFile }),
      ...(reply.dbname !== undefined && { MYSQL_DATABASE: reply.dbname }),
    },
    unset: ['MYSQL_UNIX_PORT', 'MARIADB_UNIX_PORT', 'MARIADB_TLS_DISABLE_PEER_VERIFICATION'],
  }
}
