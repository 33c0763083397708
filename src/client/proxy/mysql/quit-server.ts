import { withDeadline } from '../../../lib/deadline.ts'
import { COM_QUIT, writePacket } from '../../wire/mysql-packets.ts'
import { responseHead, TLS_LOGIN } from '../../wire/mysql-tls.ts'
import type { ProtocolParts } from '../protocol.ts'
import { type GreetedServer, logInToMysql } from './server-login.ts'

const MAX_QUIT_MS = 5000
/** At one time; a login that succeeds makes the server forget those that did not, so a few do for many. */
const MAX_QUITTING = 8
const LOGIN = { head: responseHead(TLS_LOGIN), database: undefined, attributes: undefined }

/**
 * Returns what ends the connection to a server that has greeted, in the background: by a login and COM_QUIT. However else a
 * connection ends before its login, the server counts it (`max_connect_errors`), and refuses the whole host after 100 in a row.
 */
export function createQuitter(parts: Pick<ProtocolParts, 'secure'>) {
  let quitting = 0
  return (greeted: GreetedServer): void => {
    const { token, dialed } = greeted
    const { socket } = dialed
    if (quitting >= MAX_QUITTING) return void socket.destroy()
    quitting++
    socket.unref()
    withDeadline(MAX_QUIT_MS, async signal => {
      const { server } = await logInToMysql(parts, greeted, { token, signal, login: LOGIN })
      writePacket(server, Buffer.from([COM_QUIT]), 0)
      server.close()
    })
      .catch(() => socket.destroy())
      .finally(() => quitting--)
  }
}
