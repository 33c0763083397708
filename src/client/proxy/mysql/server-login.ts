import { untilAborted } from '../../../lib/until-aborted.ts'
import type { VendedToken } from '../../library/types.ts'
import { type ByteChannel, createByteChannel } from '../../wire/byte-channel.ts'
import type { Dialed } from '../../wire/dial.ts'
import { logInWithToken } from '../../wire/mysql-login.ts'
import type { Greeting } from '../../wire/mysql-packets.ts'
import { readGreeting, requestMysqlTls } from '../../wire/mysql-tls.ts'
import type { SecureChannel } from '../../wire/secure-channel.ts'
import type { ProtocolParts } from '../protocol.ts'
import { encodeServerResponse, type ServerLogin, serverHead } from './server-response.ts'

/** A server that has said who it is, and waits for a client to say so. */
export interface GreetedServer {
  readonly dialed: Dialed
  readonly channel: ByteChannel
  readonly greeting: Greeting
}

interface DialOptions {
  token: VendedToken
  signal: AbortSignal
}

/**
 * Dials the server of a token, and reads its greeting. Rejects with WireError or the signal's reason, without a connection left. The
 * signal ends the connection even later.
 */
export async function dialServer(
  { dial }: Pick<ProtocolParts, 'dial'>,
  { token, signal }: DialOptions,
): Promise<GreetedServer> {
  const dialed = await dial(token, { signal })
  const channel = createByteChannel(dialed.socket)
  const greeting = await orDestroy(dialed, untilAborted(readGreeting(channel), signal))
  return { dialed, channel, greeting }
}

interface LogInOptions extends DialOptions {
  login: ServerLogin
}

/**
 * Logs in to a server that has greeted, with a token that it gets within verified TLS alone. Resolves with the server's OK. Rejects
 * with WireError or the signal's reason. Without a login there is no connection left, nor after the signal.
 */
export async function logInToMysql(
  { secure }: Pick<ProtocolParts, 'secure'>,
  { dialed, channel, greeting }: GreetedServer,
  { token, signal, login }: LogInOptions,
): Promise<{ server: SecureChannel; ok: Buffer }> {
  const { socket } = dialed
  const abort = () => void socket.destroy()
  signal.addEventListener('abort', abort, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', abort))

  async function logIn() {
    const head = serverHead(login, greeting)
    const { plugin } = greeting
    requestMysqlTls(channel, head)
    const server = await secure(dialed, token)
    const { ok } = await logInWithToken(server, {
      plugin,
      token: token.token,
      encodeResponse: password => encodeServerResponse({ head, user: token.user, login, plugin, password }),
    })
    return { server, ok }
  }
  return orDestroy(dialed, untilAborted(logIn(), signal))
}

async function orDestroy<T>({ socket }: Dialed, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    socket.destroy()
    throw cause
  }
}
