import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { isJsonObject } from '../../lib/json.ts'
import { isLoginRefused } from './login-refused.ts'
import { loginTargetOf, uncheckedError } from './login-target.ts'
import type { TokenSource } from './token-source.ts'
import type { PgOptions } from './types.ts'

/**
 * Returns options for pg, which calls `password` when the server asks for one, once for each connection. A refused login of pg's
 * own Client is noted. The certificate is checked for RDS's name by a function, since pg puts a host that is a name, such as a
 * tunnel's, in the place of `servername`; a Client that has another check gets no token.
 */
export async function pgOptions(source: TokenSource, waitMs: number): Promise<PgOptions> {
  const first = await source.get()
  const { dial, user, database } = loginTargetOf(first, { engines: ['postgres'], waitMs })
  const checkRds = (_host: string, certificate: PeerCertificate) =>
    checkServerIdentity(first.host, certificate)
  async function password(this: unknown): Promise<string> {
    if (isClient(this) && !checksBy(checkRds, this.ssl)) throw uncheckedError(first.host)
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
      checkServerIdentity: checkRds,
    },
  }
}

function checksBy(checkRds: unknown, ssl: unknown): boolean {
  return isJsonObject(ssl) && ssl.checkServerIdentity === checkRds && ssl.rejectUnauthorized !== false
}

function onRefused(client: unknown, note: () => void): void {
  if (!isClient(client)) return
  const { connection } = client
  const onMessage = (error: unknown) => {
    if (isLoginRefused(error)) note()
  }
  connection.once('errorMessage', onMessage)
  connection.once('readyForQuery', () => connection.off('errorMessage', onMessage))
}

type Listen = (event: string, listener: (value: unknown) => void) => unknown

interface Client {
  readonly connection: { once: Listen; off: Listen }
  readonly ssl: unknown
}

/** Whether it is pg's Client, as which pg calls the password function. Of other callers nothing is known. */
function isClient(value: unknown): value is Client {
  const connection = isJsonObject(value) ? value.connection : undefined
  return (
    isJsonObject(connection) && typeof connection.once === 'function' && typeof connection.off === 'function'
  )
}
