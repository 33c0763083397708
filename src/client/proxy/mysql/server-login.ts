import { untilAborted } from '../../../lib/until-aborted.ts'
import type { VendedToken } from '../../library/types.ts'
import { type ByteChannel, createByteChannel } from '../../wire/byte-channel.ts'
import type { Dialed } from '../../wire/dial.ts'
import {
  CLEAR_TEXT,
  ERROR,
  type Greeting,
  OK,
  parseMysqlRefusal,
  readPacket,
  SWITCH,
  switchedPlugin,
  writePacket,
} from '../../wire/mysql-packets.ts'
import { readGreeting, requestMysqlTls } from '../../wire/mysql-tls.ts'
import type { SecureChannel } from '../../wire/secure-channel.ts'
import { protocolError, tokenNotWanted } from '../../wire/wire-error.ts'
import type { ProtocolParts } from '../protocol.ts'
import { encodeServerResponse, type ServerLogin, serverHead } from './server-response.ts'

/** A server that has said who it is, and waits for a client to say so. */
export interface GreetedServer {
  readonly dialed: Dialed
  readonly channel: ByteChannel
  readonly greeting: Greeting
  /** The one whose endpoint was dialed. */
  readonly token: VendedToken
  /** From now on the signal that it was dialed with does not end it. */
  outliveSignal(): void
}

const MORE_DATA = 0x01
/** After the greeting and the request for TLS. */
const RESPONSE = 2

interface DialOptions {
  token: VendedToken
  signal: AbortSignal
}

/** Dials the server of a token, and reads its greeting. Rejects with WireError or the signal's reason, without a connection left. */
export async function dialServer(
  { dial }: Pick<ProtocolParts, 'dial'>,
  { token, signal }: DialOptions,
): Promise<GreetedServer> {
  const dialing = new AbortController()
  const abort = () => dialing.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  const dialed = await dial(token, { signal: dialing.signal })
  dialing.signal.addEventListener('abort', () => dialed.socket.destroy(), { once: true })
  const channel = createByteChannel(dialed.socket)
  const greeting = await orDestroy(dialed, untilAborted(readGreeting(channel), dialing.signal))
  const outliveSignal = () => signal.removeEventListener('abort', abort)
  return { dialed, channel, greeting, token, outliveSignal }
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
    requestMysqlTls(channel, head)
    const server = await secure(dialed, token)
    const password = Buffer.from(`${token.token}\0`)
    writePacket(server, encodeServerResponse({ head, user: token.user, password, login }), RESPONSE)
    return { server, ok: await readOutcome(server, token.token) }
  }
  return orDestroy(dialed, untilAborted(logIn(), signal))
}

/** Reads what a server answers to a response with a token in it. It gets the token once more if it asks for it by name. */
async function readOutcome(server: SecureChannel, token: string): Promise<Buffer> {
  for (let isAnswered = false; ; isAnswered = true) {
    const { payload, sequence } = await readPacket(server)
    switch (payload[0]) {
      case OK:
        return payload
      case ERROR:
        throw parseMysqlRefusal(payload, token)
      case MORE_DATA:
        throw tokenNotWanted('more than a password in clear text')
      case SWITCH:
        break
      default:
        throw protocolError('the server answered the login with what is no answer')
    }
    const plugin = switchedPlugin(payload)
    if (plugin !== CLEAR_TEXT) throw tokenNotWanted(`the plugin ${plugin}`)
    if (isAnswered) throw protocolError('the server asks for the token again and again')
    writePacket(server, Buffer.from(`${token}\0`), sequence + 1)
  }
}

async function orDestroy<T>({ socket }: Dialed, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    socket.destroy()
    throw cause
  }
}
