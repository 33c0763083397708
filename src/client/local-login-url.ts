import { dirname } from 'node:path'
import { clientFamily } from './client-family.ts'
import { failure } from './errors.ts'
import { percentEncode, percentEncodeInPath, queryOf } from './forms/percent-encoding.ts'
import type { LocalLogin } from './local-login.ts'
import type { UrlVariable } from './url-variables.ts'

/** Returns the variables with their URLs of a local login. Throws CallerError if it cannot be written as such a URL. */
export function localUrlVariables(
  variables: readonly UrlVariable[],
  login: LocalLogin,
): Record<string, string> {
  return Object.fromEntries(
    variables.map(({ name, form }) => [name, form === 'jdbc' ? localJdbcUrl(login) : localUrl(login)]),
  )
}

/**
 * Returns the URL of a local login, which has no password. For a socket of PostgreSQL its host is empty, so that no program that
 * overlooks the folder in `host` goes to another server of this machine, and its user stands in the query, because a URL with a
 * user and no host is none to WHATWG's parsers. For one of MySQL it names the path as Prisma and Ruby read it, and then as
 * drivers for Node do. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function localUrl(login: LocalLogin): string {
  const { user, dbname = '', socket, port } = login
  const path = percentEncodeInPath(dbname)
  const name = percentEncode(user)
  if (clientFamily(login) === 'postgres')
    return socket === undefined
      ? `postgresql://${name}@127.0.0.1:${port}/${path}?sslmode=disable`
      : `postgresql:///${path}?${queryOf({ user, host: dirname(socket), port: String(port) })}`
  return socket === undefined
    ? `mysql://${name}@127.0.0.1:${port}/${path}`
    : `mysql://${name}@localhost:${port}/${path}?${queryOf({ socket, socketPath: socket })}`
}

/** JDBC drivers know no Unix sockets. MariaDB's decodes nothing of a URL. */
function localJdbcUrl(login: LocalLogin): string {
  const { user, dbname = '', port } = login
  if (clientFamily(login) === 'postgres')
    return `jdbc:postgresql://127.0.0.1:${port}/${percentEncode(dbname)}?${queryOf({ user, sslmode: 'disable' })}`
  if (/[?&/]/.test(dbname) || user.includes('&'))
    throw failure('MariaDB Connector/J takes no &, ? or / in the name of a database, nor & in that of a user')
  return `jdbc:mariadb://127.0.0.1:${port}/${dbname}?user=${user}&sslMode=disable`
}
