import { untilAborted } from '../../../lib/until-aborted.ts'
import type { VendedToken } from '../../library/types.ts'
import { createByteChannel } from '../../wire/byte-channel.ts'
import type { Dialed } from '../../wire/dial.ts'
import {
  AUTHENTICATION,
  authenticationOf,
  encodeMessage,
  nameAuthentication,
  parsePostgresRefusal,
  readMessage,
} from '../../wire/postgres-messages.ts'
import { requestPostgresTls } from '../../wire/postgres-tls.ts'
import type { SecureChannel } from '../../wire/secure-channel.ts'
import { protocolError, tokenNotWanted, WireError } from '../../wire/wire-error.ts'
import type { ProtocolParts } from '../protocol.ts'

/** What a server says at a login, for the client to be sent. */
export interface LoginReply {
  readonly toClient: Buffer
  /** By which a client cancels a query: process and key, as they came; undefined if the server gives none. */
  readonly cancelKey: Buffer | undefined
}

/** Far more than all settings and notices of a login. */
const MAX_REPLY_BYTES = 128 * 1024

export type ConnectParts = Pick<ProtocolParts, 'dial' | 'secure'>

export interface ConnectOptions {
  token: VendedToken
  /** One of the endpoint's; default: any. */
  address?: string | undefined
  signal: AbortSignal
}

/**
 * Returns what `work` resolves with on a verified connection to the token's database. If it fails, or the signal aborts, the
 * connection is ended.
 */
export async function onServer<T>(
  parts: ConnectParts,
  { token, address, signal }: ConnectOptions,
  work: (server: SecureChannel, dialed: Dialed) => Promise<T>,
): Promise<T> {
  const dialed = await parts.dial(token, { signal, address })
  const secureAndWork = async () => {
    await requestTls(dialed)
    return work(await parts.secure(dialed, token), dialed)
  }
  return untilAborted(secureAndWork(), signal).catch(cause => {
    dialed.socket.destroy()
    throw cause
  })
}

async function requestTls({ socket }: Dialed): Promise<void> {
  await requestPostgresTls(createByteChannel(socket)).catch(cause => {
    // anybody on the way could have written it: neither the client nor jeton is told what it says (CVE-2024-10977)
    if (cause instanceof WireError && cause.failure === 'refused')
      throw protocolError('the server answered the request for TLS with an error')
    throw cause
  })
}

/**
 * Logs in with a startup message. The token is sent once, if the server asks for a password in clear text. Resolves when the
 * server is ready for a query. Rejects with WireError, whose reply is all that the client is to be told.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
export async function logInToServer(
  server: SecureChannel,
  { startup, token }: { startup: Buffer; token: string },
): Promise<LoginReply> {
  const held: Buffer[] = []
  let bytes = 0
  let isAsked = false
  let isAccepted = false
  let cancelKey: Buffer | undefined
  server.write(startup)
  for (;;) {
    const { type, body } = await readMessage(server)
    if (type === 'E') throw refusedAfter(held, parsePostgresRefusal(body, token), token)
    if (type === 'R') {
      if (isAccepted) throw protocolError('the server asks for a password after the login')
      const method = authenticationOf(body)
      if (method === AUTHENTICATION.clearText) {
        if (isAsked) throw protocolError('the server asks for the password twice')
        isAsked = true
        server.write(encodeMessage('p', Buffer.from(`${token}\0`)))
        continue
      }
      if (method !== AUTHENTICATION.ok) throw tokenNotWanted(nameAuthentication(method))
      isAccepted = true
    } else if (!isAccepted && type !== 'N' && type !== 'v')
      throw protocolError('the server goes on without a login')
    const message = encodeMessage(type, body)
    held.push(message)
    bytes += message.length
    if (bytes > MAX_REPLY_BYTES) throw protocolError('the server sends more than a login needs')
    if (type === 'K') cancelKey = body
    if (type === 'Z') return { toClient: withoutToken(Buffer.concat(held), token), cancelKey }
  }
}

/** After it has accepted the token, a server may still say no: the database does not exist, or is full. */
function refusedAfter(held: readonly Buffer[], refusal: WireError, token: string): WireError {
  const { message, failure, code, reply } = refusal
  if (reply === undefined || held.length === 0) return refusal
  const all = Buffer.concat([...held, reply])
  return new WireError(message, { failure, code, ...(!all.includes(token) && { reply: all }) })
}

function withoutToken(bytes: Buffer, token: string): Buffer {
  if (bytes.includes(token)) throw protocolError('the server sent the token back')
  return bytes
}
