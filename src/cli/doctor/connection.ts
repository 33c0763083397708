import type { Socket } from 'node:net'
import { clientFamily } from '../../client/client-family.ts'
import { fitForTerminal } from '../../client/errors.ts'
import type { LoginProtocol } from '../../client/login-probe/login-protocol.ts'
import { createMysqlProtocol } from '../../client/login-probe/mysql.ts'
import { createPostgresProtocol } from '../../client/login-probe/postgres.ts'
import type { TokenReply } from '../../client/token-reply.ts'
import { createByteChannel } from '../../client/wire/byte-channel.ts'
import { type Dialed, dial } from '../../client/wire/dial.ts'
import {
  openSecureChannel,
  readUntrustedCertificate,
  type SecureChannel,
  type ServerCertificate,
} from '../../client/wire/secure-channel.ts'
import { WireError } from '../../client/wire/wire-error.ts'
import type { Clock } from '../../lib/clock.ts'
import { withTimeout } from '../../lib/deadline.ts'
import { isoDay } from '../../lib/iso-time.ts'

export interface ConnectionOptions {
  /** Numeric, so that no name is looked up; the first that answers is taken. */
  readonly addresses: readonly string[]
  readonly port: number
  /** The CA certificates that may have issued the server's, in PEM. */
  readonly ca: string
  /** For each step. */
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'sleep'>
}

/** A connection without TLS: nothing secret can be sent on it. */
export interface PlainConnection extends Omit<Dialed, 'socket'> {
  startTls(): Promise<SecureConnection>
}

/** A connection to a server that was verified. */
export interface SecureConnection {
  /** What TLS found. */
  readonly detail: string
  /** Returns whether the server asked for the token. */
  logIn(reply: TokenReply): Promise<boolean>
  queryUser(): Promise<string>
  close(): void
}

/** RDS has it in every PostgreSQL. */
const DATABASE_OF_EVERYBODY = 'postgres'
const MAX_NAMES = 3

/** Connects for a reply's login. Each step ends in time, and rejects with WireError, which also ends the connection. */
export async function openConnection(
  reply: TokenReply,
  options: ConnectionOptions,
): Promise<PlainConnection> {
  const protocol = protocolOf(reply)
  const { socket, ...dialed } = await dial(options)
  return {
    ...dialed,
    async startTls() {
      let hasBegun = false
      const channel = await onSocket(socket, () =>
        inTime(options, 'no TLS', async () => {
          await protocol.requestTls(createByteChannel(socket))
          hasBegun = true
          return openSecureChannel(socket, { host: reply.host, ca: options.ca })
        }),
      ).catch(async cause => {
        if (!(cause instanceof WireError)) throw cause
        if (cause.failure === 'timeout' && hasBegun) throw handshakeHangs(cause)
        if (cause.failure !== 'untrusted') throw cause
        throw await untrustedWithNote(cause, { reply, options: { ...options, addresses: [dialed.address] } })
      })
      return secureConnection(channel, { protocol, socket, options })
    },
  }
}

function handshakeHangs(cause: WireError): WireError {
  return new WireError(`${cause.message}, although it has begun`, { failure: 'handshake', cause })
}

function secureConnection(
  channel: SecureChannel,
  { protocol, socket, options }: { protocol: LoginProtocol; socket: Socket; options: ConnectionOptions },
): SecureConnection {
  return {
    detail: `${channel.tlsVersion}${certificateNote(channel.certificate)}`,
    logIn: ({ user, token, dbname, engine }) => {
      const login = {
        user,
        token,
        dbname: dbname ?? (engine === 'postgres' ? DATABASE_OF_EVERYBODY : undefined),
      }
      return onSocket(socket, () =>
        inTime(options, 'no answer to the login', () => protocol.logIn(channel, login)),
      )
    },
    queryUser: () =>
      onSocket(socket, async () =>
        fitForTerminal(await inTime(options, 'no answer to the query', () => protocol.queryUser(channel))),
      ),
    close() {
      protocol.quit(channel)
      channel.close()
    },
  }
}

/** Each connection has its own, because it remembers what the server said. */
function protocolOf(reply: TokenReply): LoginProtocol {
  return clientFamily(reply) === 'postgres' ? createPostgresProtocol() : createMysqlProtocol()
}

async function onSocket<Value>(socket: Socket, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    socket.destroy()
    throw cause
  }
}

function inTime<Value>(
  { clock, timeoutMs }: ConnectionOptions,
  what: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const timedOut = () => new WireError(`${what} within ${timeoutMs / 1000} s`, { failure: 'timeout' })
  return withTimeout(work, { clock, timeoutMs, timedOut })
}

/** With what the certificate says: read on a connection of its own, for nothing may be sent on the first. */
async function untrustedWithNote(
  cause: WireError,
  { reply, options }: { reply: TokenReply; options: ConnectionOptions },
): Promise<WireError> {
  const note = await readNote(reply, options).catch(() => '')
  return new WireError(`${cause.message}${note}`, { failure: 'untrusted', code: cause.code, cause })
}

async function readNote(reply: TokenReply, options: ConnectionOptions): Promise<string> {
  const { socket } = await dial(options)
  try {
    return await inTime(options, 'no certificate', async () => {
      await protocolOf(reply).requestTls(createByteChannel(socket))
      return certificateNote(await readUntrustedCertificate(socket, reply.host))
    })
  } finally {
    socket.destroy()
  }
}

function certificateNote({ names, issuer, expiresAt }: ServerCertificate): string {
  const shown = names.slice(0, MAX_NAMES).map(name => fitForTerminal(name.replace(/^DNS:/, '')))
  const more = names.length > MAX_NAMES ? ' and others' : ''
  const until = Number.isNaN(expiresAt) ? '' : `, good until ${isoDay(expiresAt)}`
  return `; certificate for ${shown.join(', ') || 'no name'}${more}, issued by ${fitForTerminal(issuer)}${until}`
}
