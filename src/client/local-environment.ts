import { dirname } from 'node:path'
import { clientFamily } from './client-family.ts'
import { MYSQL_VARIABLES, POSTGRES_VARIABLES } from './client-variables.ts'
import { changesOf, type EnvironmentChanges } from './environment.ts'
import type { LocalLogin } from './local-login.ts'
import { localUrl } from './local-login-url.ts'
import { type PutFile, putMysqlOptions } from './login-files.ts'
import { localMysqlOptions } from './mysql-options.ts'

/** For programs that read a password and insist on one. The proxy asks for none, and takes any. */
const NO_PASSWORD = 'none-needed'

/**
 * Writes the files of a local login with `put`; returns the changes of an environment that refer to them. Throws what `put`
 * throws, and as `clientFamily` does.
 */
export async function putLocalLogin(login: LocalLogin, put: PutFile): Promise<EnvironmentChanges> {
  if (clientFamily(login) === 'postgres') return forPostgres(login)

  return forMysql(login, await putMysqlOptions(localMysqlOptions(login), put))
}

/**
 * libpq, pgx and drivers that do as they take a folder as the host. On sockets they speak neither TLS nor GSS, whatever they are
 * told; others, and all on loopback, would insist on it. A CA bundle is removed, since libpq takes `system` for a demand of TLS.
 */
function forPostgres(login: LocalLogin): EnvironmentChanges {
  const { socket, port, user, dbname } = login
  const set = {
    DATABASE_URL: localUrl(login),
    PGHOST: socket === undefined ? '127.0.0.1' : dirname(socket),
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: NO_PASSWORD,
    PGSSLMODE: 'disable',
    ...(dbname !== undefined && { PGDATABASE: dbname }),
  }
  return withoutAlso('PGSSLROOTCERT', changesOf(set, POSTGRES_VARIABLES))
}

/** To the clients of MySQL and MariaDB, `localhost` is the socket, and 127.0.0.1 never is. */
function forMysql(login: LocalLogin, homes: Readonly<Record<string, string>>): EnvironmentChanges {
  const { socket, port, user, dbname } = login
  const set = {
    DATABASE_URL: localUrl(login),
    MYSQL_HOST: socket === undefined ? '127.0.0.1' : 'localhost',
    MYSQL_TCP_PORT: String(port),
    MYSQL_USER: user,
    MYSQL_PWD: NO_PASSWORD,
    ...homes,
    ...(socket !== undefined && { MYSQL_UNIX_PORT: socket }),
    ...(dbname !== undefined && { MYSQL_DATABASE: dbname }),
  }
  return withoutAlso('MYSQL_SSL_CA', changesOf(set, MYSQL_VARIABLES))
}

/** A caller's CA bundle is for its own servers: a client that has one asks for TLS. */
function withoutAlso(name: string, { set, unset }: EnvironmentChanges): EnvironmentChanges {
  return { set, unset: [...unset, name] }
}
