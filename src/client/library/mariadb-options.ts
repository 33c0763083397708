import { connect, type Socket } from 'node:net'
import { isJsonObject } from '../../lib/json.ts'
import { isLoginRefused } from './login-refused.ts'
import { loginTargetOf, uncheckedError } from './login-target.ts'
import { TokenError } from './token-error.ts'
import type { TokenSource } from './token-source.ts'
import type { MariadbOptions } from './types.ts'

/**
 * Returns options for mariadb, which has no password function and copies its options when a pool is made. But it asks `stream`
 * to dial for each connection, as a method of that connection's own options, and reads the password from these later: so
 * `stream` puts the token there, and follows the login by their logger. If a release calls it in another way, the connection
 * fails and says so. A refused login is noted.
 */
export async function mariadbOptions(source: TokenSource, waitMs: number): Promise<MariadbOptions> {
  const first = await source.get()
  const engines = ['mysql', 'mariadb']
  const { dial, user, database, connectTimeout } = loginTargetOf(first, { engines, waitMs })
  async function dialWithToken(options: unknown): Promise<Socket> {
    if (!isConnectionOptions(options)) throw new TokenError(NO_OPTIONS)
    if (!checksFor(first.host, options.ssl)) throw uncheckedError(first.host)
    const { token, fingerprint } = await source.get()
    options.password = token
    options.logger = followLogin(options.logger, () => source.noteRefused(fingerprint))
    return connect({ ...dial, noDelay: true })
  }
  return {
    ...dial,
    user,
    ...database,
    ssl: {
      get ca() {
        return source.caPem()
      },
      servername: first.host,
    },
    stream(callback) {
      dialWithToken(this).then(
        socket => handOver(socket, callback),
        cause => callback(cause),
      )
    },
    connectTimeout,
    permitRedirect: false,
  }
}

/** mariadb throws if it has given the connection up meanwhile, and has told so whoever waited for it. */
function handOver(socket: Socket, callback: (error?: Error, socket?: Socket) => void): void {
  try {
    callback(undefined, socket)
  } catch {
    socket.destroy()
  }
}

const NO_OPTIONS =
  'this release of mariadb does not call `stream` as a method of its options: use createConnection with a password of password()'

/** Whether a connection checks the certificate for RDS's name, as it does unless its user has changed `ssl`. */
function checksFor(host: string, ssl: unknown): boolean {
  return isJsonObject(ssl) && ssl.servername === host && !!ssl.ca && ssl.rejectUnauthorized !== false
}

type Logger = { readonly error?: ((error: unknown) => void) | null }

interface ConnectionOptions {
  password: unknown
  logger: Logger | undefined
  readonly ssl: unknown
}

/** Those of mariadb, whose `password` is there even without a value; not the ones that this file returns. */
function isConnectionOptions(value: unknown): value is ConnectionOptions {
  return typeof value === 'object' && value !== null && 'password' in value
}

/**
 * Returns a connection's logger, which then is told, too, of what the database says to the login. A query that is refused for want
 * of a right has the same number, and does not end the connection.
 */
function followLogin(logger: Logger | undefined, note: () => void): Logger {
  return {
    ...logger,
    error(error) {
      if (isLoginRefused(error) && !(isJsonObject(error) && error.fatal === false)) note()
      logger?.error?.(error)
    },
  }
}
