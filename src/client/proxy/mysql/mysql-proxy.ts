import { untilAborted } from '../../../lib/until-aborted.ts'
import type { ByteChannel } from '../../wire/byte-channel.ts'
import { encodePacket, writePacket } from '../../wire/mysql-packets.ts'
import type { ClientSession, Link, ProtocolParts, ProxyProtocol } from '../protocol.ts'
import { clientScramble, encodeClientGreeting } from './client-greeting.ts'
import { logClientIn } from './client-login.ts'
import { nameProgram } from './connect-attributes.ts'
import { encodeRefusal } from './encode-refusal.ts'
import { createQuitter } from './quit-server.ts'
import { dialServer, logInToMysql } from './server-login.ts'
import { dialForClient, type WaitingServer } from './waiting-server.ts'

/** Servers wait for a login for 10 s, unless `connect_timeout` says otherwise. */
const MAX_WAITING_MS = 4000

export interface MysqlProxyOptions {
  /** For how long a connection to the server is kept for a client that says nothing; default: 4 s. */
  maxWaitingMs?: number
}

/**
 * Returns the protocol of MySQL and MariaDB for one database. The server speaks first, so it is dialed before a client has said
 * anything: the client learns the server's version and its own thread there, by which it can end its queries.
 */
export function createMysqlProxy(
  parts: ProtocolParts,
  { maxWaitingMs = MAX_WAITING_MS }: MysqlProxyOptions = {},
): ProxyProtocol {
  const quit = createQuitter(parts)

  function accept(client: ByteChannel): ClientSession {
    /** Of the packet that the client expects next. */
    let sequence = 0

    async function open(signal: AbortSignal): Promise<Link | undefined> {
      let waiting: WaitingServer | undefined
      try {
        const { greeting } = await parts.logIn(token => {
          waiting = dialForClient(parts, { token, maxMs: maxWaitingMs, onLeft: quit })
          return waiting.greeted
        }, signal)
        writePacket(client, encodeClientGreeting(greeting), sequence++)
        const login = logClientIn(client, {
          scramble: clientScramble(greeting.payload),
          onExpect: next => {
            sequence = next
          },
        })
        const response = await untilAborted(login, signal)
        if (!response) return undefined
        const { head } = response
        const { server, ok } = await parts.logIn(async token => {
          // another than at first if that one was refused, or is gone: then the thread is not the one that the client was told
          const greeted = waiting?.take(token) ?? (await dialServer(parts, { token, signal }))
          const dbname = token.dbname === undefined ? undefined : Buffer.from(token.dbname)
          return logInToMysql(parts, greeted, {
            token,
            signal,
            login: {
              head,
              database: response.database ?? dbname,
              attributes: nameProgram(response.attributes, parts.callerName),
            },
          })
        }, signal)
        return { server, toClient: encodePacket(ok, sequence) }
      } finally {
        waiting?.leave()
      }
    }

    return { open, encodeError: error => encodeRefusal(error, sequence) }
  }

  return { accept }
}
