import { clientFamily } from '../client-family.ts'
import type { Form, FormLogin } from './form.ts'
import { percentEncode, percentEncodeInPath, queryOf } from './percent-encoding.ts'

/** A URL that logs in by itself: for libpq, it has the address of a tunnel too. */
export const uriForm: Form = {
  refersToCa: true,
  render: login => {
    const isPostgres = clientFamily(login.reply) === 'postgres'
    return `${databaseUrl(login, isPostgres ? { hostaddr: login.connectAddress?.address } : {})}\n`
  },
}

/**
 * Returns the URL of a login, each part percent-encoded once. Its host is RDS's own name, which the certificate is checked for,
 * and its port that of the tunnel if there is one. Its parameters are those of libpq, or of MySQL's own clients: drivers for
 * MySQL agree on none. `parameters` come before these. Throws as `clientFamily` does.
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 * https://dev.mysql.com/doc/refman/8.4/en/connecting-using-uri-or-key-value-pairs.html
 */
export function databaseUrl(
  { reply, caFile, connectAddress }: FormLogin,
  parameters: Readonly<Record<string, string | undefined>> = {},
): string {
  const { host, user, token, dbname = '' } = reply
  const [scheme, checks] =
    clientFamily(reply) === 'postgres'
      ? ['postgresql', { sslmode: 'verify-full', sslrootcert: caFile }]
      : ['mysql', { 'ssl-mode': 'VERIFY_IDENTITY', 'ssl-ca': caFile }]
  const port = connectAddress?.port ?? reply.port
  const query = queryOf({ ...parameters, ...checks })
  return `${scheme}://${percentEncode(user)}:${percentEncode(token)}@${host}:${port}/${percentEncodeInPath(dbname)}?${query}`
}
