import type { ByteChannel } from './byte-channel.ts'
import { FIRST_MESSAGE, int32, parsePostgresRefusal, readBody, withLength } from './postgres-messages.ts'
import { protocolError, WireError } from './wire-error.ts'

/**
 * Asks a PostgreSQL server for TLS. When it resolves, the TLS handshake is next, and the channel is released. Rejects with
 * WireError if the server refuses, or sends more than its answer.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
export async function requestPostgresTls(channel: ByteChannel): Promise<void> {
  channel.write(withLength(int32(FIRST_MESSAGE.sslRequest)))
  const [answer] = await channel.read(1)
  switch (String.fromCharCode(answer ?? 0)) {
    case 'S':
      // what came before TLS could have been put there by somebody on the way (CVE-2021-23222)
      if (channel.release().length > 0) throw protocolError('the server sent more than its answer before TLS')
      return
    case 'N':
      throw new WireError('the server speaks PostgreSQL, and refuses TLS', { failure: 'no_tls' })
    case 'E':
      throw parsePostgresRefusal(await readBody(channel))
    default:
      throw protocolError('what answers there does not speak PostgreSQL')
  }
}
