import { withDeadline } from '../../../lib/deadline.ts'
import { COM_QUIT, writePacket } from '../../wire/mysql-packets.ts'
import { responseHead, TLS_LOGIN } from '../../wire/mysql-tls.ts'
import type { ProtocolParts } from '../protocol.ts'
import { nameProgram } from './connect-attributes.ts'
import { logInToMysql } from './server-login.ts'
import type { LeftServer } from './waiting-server.ts'

const MAX_QUIT_MS = 5000
/** At one time. */
const MAX_QUITTING = 4
/** That wait for their turn; the oldest is cut off for one more. Most have it before the server's own 10 s are over. */
const MAX_WAITING = 256
const HEAD = responseHead(TLS_LOGIN)

export interface QuitterParts extends Pick<ProtocolParts, 'secure' | 'callerName'> {
  /** How long one may take; default: 5 s. */
  maxQuitMs?: number
}

/**
 * Returns what ends the connection to a server that no client has come for, in the background: by a login and COM_QUIT. However
 * else a connection ends before its login, the server counts it (`max_connect_errors`), and refuses the whole host after 100 in a
 * row. It takes the token that the server was dialed with, and tries nothing again.
 */
export function createQuitter(parts: QuitterParts) {
  const { maxQuitMs = MAX_QUIT_MS } = parts
  const login = { head: HEAD, database: undefined, attributes: nameProgram(undefined, parts.callerName) }
  const waiting: LeftServer[] = []
  let quitting = 0

  async function logInAndOut({ token, greeted }: LeftServer, signal: AbortSignal): Promise<void> {
    const server = await greeted
    // a program that ends does not wait for this
    server.dialed.socket.unref()
    const { server: channel } = await logInToMysql(parts, server, { token, signal, login })
    writePacket(channel, Buffer.from([COM_QUIT]), 0)
    channel.close()
  }

  async function quit(): Promise<void> {
    quitting++
    for (let left = waiting.shift(); left; left = waiting.shift()) {
      const server = left
      await withDeadline(maxQuitMs, signal => logInAndOut(server, signal)).catch(server.end)
    }
    quitting--
  }

  return (left: LeftServer): void => {
    waiting.push(left)
    if (waiting.length > MAX_WAITING) waiting.shift()?.end()
    if (quitting < MAX_QUITTING) void quit()
  }
}
