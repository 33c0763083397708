import type { Form } from './form.ts'

/**
 * A line of libpq's password file, for every database of the endpoint. libpq looks it up by the host name that it verifies,
 * which is RDS's own, and by the port that it dials; with `connect`, that is the port of the tunnel.
 * https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export const pgpassForm: Form = {
  refersToCa: false,
  family: 'postgres',
  render({ reply: { host, port, user, token }, connectAddress }) {
    const fields = [host, String(connectAddress?.port ?? port), '*', escapePgpass(user), escapePgpass(token)]
    return `${fields.join(':')}\n`
  },
}

/** Returns text as one field of a password file. */
export function escapePgpass(text: string): string {
  return text.replace(/[\\:]/g, '\\$&')
}
