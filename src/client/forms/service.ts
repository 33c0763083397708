import { failure } from '../errors.ts'
import type { Form } from './form.ts'

/**
 * A section of pg_service.conf, named after jeton's database. It has no password: libpq refuses lines of 1,023 bytes or more,
 * before version 13 of 255, and tokens are longer. libpq takes the password from its password file, or from PGPASSWORD.
 * https://www.postgresql.org/docs/current/libpq-pgservice.html
 */
export const serviceForm: Form = {
  refersToCa: true,
  family: 'postgres',
  render({ reply, caFile, connectAddress }) {
    const settings = {
      host: reply.host,
      hostaddr: connectAddress?.address,
      port: String(connectAddress?.port ?? reply.port),
      user: reply.user,
      dbname: reply.dbname,
      sslmode: 'verify-full',
      sslrootcert: caFile,
    }
    const lines = Object.entries(settings).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}=${value}`,
    )
    const cut = lines.find(line => /\s$/.test(line))
    if (cut !== undefined)
      throw failure(
        `libpq drops white space at the end of a line of a service file (${cut}): \`jeton token -o uri\` writes it`,
      )
    return `[${reply.database}]\n${lines.join('\n')}\n`
  },
}
