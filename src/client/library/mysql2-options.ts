import { connect } from 'node:net'
import { checkServerIdentity, TLSSocket } from 'node:tls'
import { isJsonObject, type JsonObject } from '../../lib/json.ts'
import { isLoginRefused } from './login-refused.ts'
import { loginTargetOf, uncheckedError } from './login-target.ts'
import { TokenError } from './token-error.ts'
import type { TokenSource } from './token-source.ts'
import type { Mysql2Options } from './types.ts'

/**
 * Returns options for mysql2, which has no password function, but lets a plugin answer the server's question for a password in
 * clear text. mysql2 does not look whether that goes over TLS: the plugin does, and checks the certificate for RDS's name. A
 * refused login is noted. mysql2 checks the name in `host`, so that a tunnel is dialled by `stream`.
 */
export async function mysql2Options(source: TokenSource, waitMs: number): Promise<Mysql2Options> {
  const first = await source.get()
  const { host, port } = first
  const engines = ['mysql', 'mariadb']
  const { dial, user, database, connectTimeout } = loginTargetOf(first, { engines, waitMs })
  return {
    host,
    port,
    user,
    ...database,
    ssl: {
      get ca() {
        return source.caPem()
      },
      verifyIdentity: true,
    },
    authPlugins: {
      mysql_clear_password:
        ({ connection, command }) =>
        async () => {
          requireRds(connection, host)
          const { token, fingerprint } = await source.get().catch(cause => {
            throw ownCopy(cause)
          })
          onRefused(command, () => source.noteRefused(fingerprint))
          return Buffer.from(`${token}\0`)
        },
    },
    connectTimeout,
    ...(first.connect !== undefined && {
      stream: () => connect({ ...dial, noDelay: true, keepAlive: true }),
    }),
  }
}

/**
 * Throws unless the connection is encrypted, and its other end has shown a certificate of the CA for this host. A TLS session
 * that is resumed has none to look at: mysql2 keeps those of one host whose certificate it has checked.
 */
function requireRds(connection: unknown, host: string): void {
  const { stream, config } = memberOf(connection)
  const isChecked = memberOf(config).host === host && memberOf(memberOf(config).ssl).verifyIdentity === true
  if (!isChecked || !(stream instanceof TLSSocket) || !stream.authorized) throw uncheckedError(host)
  if (!stream.isSessionReused() && checkServerIdentity(host, stream.getPeerCertificate()))
    throw uncheckedError(host)
}

function memberOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** mysql2 writes into the error of a plugin, and all who wait for a token have the same one. */
function ownCopy(cause: unknown): unknown {
  return cause instanceof TokenError ? new TokenError(cause.message, { ...cause, cause }) : cause
}

function onRefused(command: unknown, note: () => void): void {
  if (!isJsonObject(command) || typeof command.once !== 'function') return
  command.once('error', (error: unknown) => {
    if (isLoginRefused(error)) note()
  })
}
