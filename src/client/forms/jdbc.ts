import { clientFamily } from '../client-family.ts'
import { failure } from '../errors.ts'
import type { Form, FormLogin } from './form.ts'
import { percentEncode, queryOf } from './percent-encoding.ts'

/** A JDBC URL. */
export const jdbcForm: Form = {
  refersToCa: true,
  render: login => `${jdbcUrl(login)}\n`,
}

/**
 * Returns the URL of a login for pgJDBC, or for MySQL and MariaDB that of MariaDB Connector/J: MySQL's own driver reads no CA
 * bundle. JDBC drivers dial the name that they verify, so a tunnel works if RDS's name leads to it. Throws CallerError.
 */
export function jdbcUrl(login: FormLogin): string {
  return clientFamily(login.reply) === 'postgres' ? postgresUrl(login) : mariadbUrl(login)
}

/** https://jdbc.postgresql.org/documentation/use/ */
function postgresUrl({ reply, caFile, connectAddress }: FormLogin): string {
  const { host, user, token, dbname = '' } = reply
  const query = queryOf({ user, password: token, sslmode: 'verify-full', sslrootcert: caFile })
  return `jdbc:postgresql://${host}:${connectAddress?.port ?? reply.port}/${percentEncode(dbname)}?${query}`
}

/**
 * This driver decodes nothing, so no token can stand in its URL: it reads user and password from the variables that
 * `jeton exec` sets. Version 3 goes by `sslMode`; version 2 knows only `useSsl`, without which it would send the token in clear.
 * https://mariadb.com/docs/connectors/mariadb-connector-j/about-mariadb-connector-j
 */
function mariadbUrl({ reply, caFile = '', connectAddress }: FormLogin): string {
  const { host, dbname = '' } = reply
  if (/[?&/]/.test(dbname) || caFile.includes('&'))
    throw failure('MariaDB Connector/J takes no &, ? or / in the name of a database, nor & in a path')
  const parameters = {
    useSsl: 'true',
    sslMode: 'verify-full',
    ...(caFile !== '' && { serverSslCert: caFile }),
    credentialType: 'ENV',
    userKey: 'MYSQL_USER',
    pwdKey: 'MYSQL_PWD',
  }
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${value}`)
  return `jdbc:mariadb://${host}:${connectAddress?.port ?? reply.port}/${dbname}?${query.join('&')}`
}
