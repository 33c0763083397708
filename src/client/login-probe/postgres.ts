import type { ByteChannel } from './byte-channel.ts'
import { type LoginProtocol, type LoginRequest, refusedBy, tokenNotWanted } from './login-protocol.ts'
import { ProbeError, protocolError } from './probe-error.ts'
import type { SecureChannel } from './secure-channel.ts'

const SSL_REQUEST = 80_877_103
const PROTOCOL_3_0 = 196_608
/** A message of a login, or of a query of one name, is much shorter. */
const MAX_MESSAGE_BYTES = 64 * 1024

const OK = 0
const CLEAR_TEXT = 3
const METHODS: Readonly<Record<number, string>> = {
  2: 'Kerberos',
  5: 'an MD5 password',
  7: 'GSSAPI',
  9: 'SSPI',
  10: 'a SCRAM password',
}

interface Message {
  type: string
  body: Buffer
}

/**
 * Returns the protocol of PostgreSQL, version 3.0, as far as a login and one query need it.
 * https://www.postgresql.org/docs/current/protocol-flow.html
 */
export function createPostgresProtocol(): LoginProtocol {
  return { requestTls, logIn, queryUser, quit: channel => channel.write(message('X', Buffer.alloc(0))) }
}

async function requestTls(channel: ByteChannel): Promise<void> {
  channel.write(withLength(int32(SSL_REQUEST)))
  const [answer] = await channel.read(1)
  switch (String.fromCharCode(answer ?? 0)) {
    case 'S':
      // what came before TLS could have been put there by somebody on the way (CVE-2021-23222)
      if (channel.release().length > 0) throw protocolError('the server sent more than its answer before TLS')
      return
    case 'N':
      throw new ProbeError('the server speaks PostgreSQL, and refuses TLS', { failure: 'no_tls' })
    case 'E':
      throw refusal(await readBody(channel))
    default:
      throw protocolError('what answers there does not speak PostgreSQL')
  }
}

async function logIn(channel: SecureChannel, { user, token, dbname }: LoginRequest): Promise<boolean> {
  const parameters = {
    user,
    ...(dbname !== undefined && { database: dbname }),
    application_name: 'jeton doctor',
  }
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`)
  channel.write(withLength(int32(PROTOCOL_3_0), Buffer.from(`${pairs.join('')}\0`)))
  let isAsked = false
  let isAccepted = false
  for (;;) {
    const { type, body } = await readMessage(channel)
    if (type === 'E') throw refusal(body, token)
    if (type === 'Z' && isAccepted) return isAsked
    if (type !== 'R') continue
    const method = body.length >= 4 ? body.readInt32BE() : -1
    if (method === OK) isAccepted = true
    else if (method === CLEAR_TEXT) {
      isAsked = true
      channel.write(message('p', Buffer.from(`${token}\0`)))
    } else throw tokenNotWanted(METHODS[method] ?? 'another authentication')
  }
}

async function queryUser(channel: SecureChannel): Promise<string> {
  channel.write(message('Q', Buffer.from('select current_user\0')))
  let name: string | undefined
  for (;;) {
    const { type, body } = await readMessage(channel)
    if (type === 'E') throw refusal(body)
    // one column: their number in two bytes, then its length in four
    if (type === 'D' && body.length >= 6) name = body.toString('utf8', 6, 6 + body.readInt32BE(2))
    if (type !== 'Z') continue
    if (name === undefined) throw protocolError('the server answered the query without a row')
    return name
  }
}

async function readMessage(channel: ByteChannel): Promise<Message> {
  const type = (await channel.read(1)).toString('latin1')
  return { type, body: await readBody(channel) }
}

async function readBody(channel: ByteChannel): Promise<Buffer> {
  const length = (await channel.read(4)).readInt32BE()
  if (length < 4 || length > MAX_MESSAGE_BYTES)
    throw protocolError('the server sent what is no message of PostgreSQL')
  return channel.read(length - 4)
}

/** https://www.postgresql.org/docs/current/protocol-error-fields.html */
function refusal(body: Buffer, token?: string): ProbeError {
  const fields = new Map(
    body
      .toString()
      .split('\0')
      .map(field => [field.slice(0, 1), field.slice(1)]),
  )
  const text = fields.get('M') ?? 'the server says no, without a reason'
  return refusedBy({ code: fields.get('C') ?? 'no code', text, ...(token !== undefined && { token }) })
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), withLength(body)])
}

function withLength(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length + 4), body])
}

function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}
