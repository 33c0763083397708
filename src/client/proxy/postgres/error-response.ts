import { encodeMessage } from '../../wire/postgres-messages.ts'
import { WireError } from '../../wire/wire-error.ts'
import type { SessionError, SessionFailure } from '../session-error.ts'

/**
 * What clients make of them: 57P03 sends libpq to its next host, and pg_isready says "rejecting connections"; it and 53300 are
 * transient to Npgsql. Of a refused login, 28P01 would have tools ask for a password, and 42501 be taken for a query's; at 28000
 * pgjdbc tries once more without TLS, as with any database. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQLSTATES: Readonly<Record<SessionFailure, string>> = {
  /** invalid_authorization_specification */
  refused: '28000',
  /** cannot_connect_now */
  unavailable: '57P03',
  /** too_many_connections */
  too_many: '53300',
  /** feature_not_supported */
  unsupported: '0A000',
  /** cannot_connect_now: by then it is the database or jeton that takes too long */
  timeout: '57P03',
  /** cannot_connect_now, as of a server that is shutting down */
  ending: '57P03',
  /** Unless the database's own is known. */
  database: '28000',
}

/** Returns the database's own message if there is one, or else an ErrorResponse with the error's sentence. */
export function encodeErrorResponse({ failure, message, reply, cause }: SessionError): Buffer {
  if (reply !== undefined) return reply
  const fields = ['SFATAL', 'VFATAL', `C${codeOf(cause) ?? SQLSTATES[failure]}`, `M${message}`]
  const texts = fields.map(field => `${field.replaceAll('\0', '')}\0`).join('')
  return encodeMessage('E', Buffer.from(`${texts}\0`))
}

/** The code of a message that cannot be passed on, because it has the token in it. */
function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof WireError) || cause.failure !== 'refused') return undefined
  return /^[0-9A-Z]{5}$/.test(cause.code ?? '') ? cause.code : undefined
}
