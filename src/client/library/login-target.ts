import { parseAddress } from '../../rds/address.ts'
import { TokenError } from './token-error.ts'
import type { VendedToken } from './types.ts'

/** How long a login itself may take, besides what it waits for a token. */
const LOGIN_MS = 10_000

/** What each driver needs to know of a database. */
export interface LoginTarget {
  /** Where to dial. */
  readonly dial: { readonly host: string; readonly port: number }
  readonly user: string
  /** The name of the database as drivers take it, if one is configured. */
  readonly database: { readonly database?: string }
  readonly connectTimeout: number
}

/** Returns the error of a connection that does not check whether it has reached RDS. */
export function uncheckedError(host: string): TokenError {
  return new TokenError(
    `no token is sent without TLS and a check that the certificate is that of ${host}: leave \`host\` and \`ssl\` of the options as they are`,
  )
}

export interface LoginTargetOptions {
  /** The engines that the driver speaks to. */
  engines: readonly string[]
  waitMs: number
}

/** Returns what a token says of its database. Throws TokenError if the driver is for another engine. */
export function loginTargetOf(
  { database: name, engine, host, port, user, dbname, connect }: VendedToken,
  { engines, waitMs }: LoginTargetOptions,
): LoginTarget {
  if (!engines.includes(engine))
    throw new TokenError(
      `the database ${name} is ${engine}, and these options are for ${engines.join(' and ')}`,
    )
  const dial = connect === undefined ? { host, port } : parseAddress(connect)
  if (!dial) throw new TokenError(`the server says to connect to ${connect}, which is not host:port`)
  return {
    dial,
    user,
    database: dbname === undefined ? {} : { database: dbname },
    connectTimeout: waitMs + LOGIN_MS,
  }
}
