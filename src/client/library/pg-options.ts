import { checkServerIdentity } from 'node:tls'
import { isJsonObject } from '../../lib/json.ts'
import { isLoginRefused } from './login-refused.ts'
import { loginTargetOf } from './login-target.ts'
import type { TokenSource } from './token-source.ts'
import type { PgOptions } from './types.ts'

/**
 * Returns options for pg, which calls `password` when the server asks for one, once for each connection. A refused login of pg's
 * own Client is noted. The certificate is checked for RDS's name by a function, since pg puts a host that is a name, such as a
 * tunnel's, in the place of `servername`.
 */
export async function pgOptions(source: TokenSource, waitMs: number): Promise<PgOptions> {
  const first = await source.get()
  const { dial, user, database } = loginTargetOf(first, { engines: ['postgres'], waitMs })
  async function password(this: unknown): Promise<string> {
    const { token, fingerprint } = await source.get()
    onRefused(this, () => source.noteRefused(fingerprint))
    return token
  }
  return {
    ...dial,
    user,
    ...database,
    password,
    ssl: {
      get ca() {
        return source.caPem()
      },
      servername: first.host,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(first.host, certificate),
    },
  }
}

/** Follows the login of pg's Client, as which it calls the password function. Of other callers nothing is known. */
function onRefused(client: unknown, note: () => void): void {
  const connection = isJsonObject(client) ? client.connection : undefined
  if (!isEmitter(connection)) return
  const onMessage = (error: unknown) => {
    if (isLoginRefused(error)) note()
  }
  connection.once('errorMessage', onMessage)
  connection.once('readyForQuery', () => connection.off('errorMessage', onMessage))
}

type Listen = (event: string, listener: (value: unknown) => void) => unknown

function isEmitter(value: unknown): value is { once: Listen; off: Listen } {
  return isJsonObject(value) && typeof value.once === 'function' && typeof value.off === 'function'
}
