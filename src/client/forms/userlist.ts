import { failure } from '../errors.ts'
import type { Form } from './form.ts'

/** PgBouncer's own limit, since version 1.17; one more is the NUL at the end. */
const MAX_PASSWORD = 2047

/**
 * A line of PgBouncer's `auth_file`. The file knows a user by the name alone, whatever the database; of two lines for one user
 * the later counts. https://www.pgbouncer.org/config.html#authentication-file-format
 */
export const userlistForm: Form = {
  refersToCa: false,
  family: 'postgres',
  render({ reply: { user, token } }) {
    const password = quoteForUserlist(token)
    if (password.length - 2 > MAX_PASSWORD)
      throw failure(
        `PgBouncer reads no password of more than ${MAX_PASSWORD} characters, and the token is longer`,
      )
    return `${quoteForUserlist(user)} ${password}\n`
  },
}

function quoteForUserlist(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
