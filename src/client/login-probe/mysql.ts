import type { ByteChannel } from '../wire/byte-channel.ts'
import {
  CAPABILITY,
  ERROR,
  firstColumn,
  type Greeting,
  lengthEncoded,
  parseGreeting,
  parseMysqlRefusal,
  readPacket,
  writePacket,
} from '../wire/mysql-packets.ts'
import type { SecureChannel } from '../wire/secure-channel.ts'
import { protocolError, refusedBy, tokenNotWanted, WireError } from '../wire/wire-error.ts'
import type { LoginProtocol, LoginRequest } from './login-protocol.ts'

const CLEAR_TEXT = 'mysql_clear_password'
/** What a server of before 4.1 asks for, by a packet that names nothing. */
const UNNAMED = 'mysql_old_password'
const OK = 0x00
const END_OF_ROWS = 0xfe
const SWITCH = 0xfe
const COM_QUIT = 0x01
const UTF8MB4 = 45
const MAX_PACKET_SIZE = 16 * 1024 * 1024
const FLAGS =
  CAPABILITY.connectWithDb |
  CAPABILITY.protocol41 |
  CAPABILITY.tls |
  CAPABILITY.secureConnection |
  CAPABILITY.pluginAuth |
  CAPABILITY.lengthEncodedAuth

/**
 * Returns the protocol of MySQL and MariaDB for one connection, as far as a login and one query need it.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */
export function createMysqlProtocol(): LoginProtocol {
  let greeting: Greeting | undefined

  async function requestTls(channel: ByteChannel): Promise<void> {
    const { payload, sequence } = await readPacket(channel)
    if (payload[0] === ERROR) throw parseMysqlRefusal(payload)
    greeting = parseGreeting(payload)
    if (!(greeting.capabilities & CAPABILITY.tls))
      throw new WireError('the server speaks MySQL, and has no TLS', { failure: 'no_tls' })
    if (!(greeting.capabilities & CAPABILITY.pluginAuth))
      throw protocolError('the server is too old to be asked for a password in clear text')
    if (channel.release().length > 0) throw protocolError('the server sent more than its greeting before TLS')
    writePacket(channel, responseHead(), sequence + 1)
  }

  async function logIn(channel: SecureChannel, login: LoginRequest): Promise<boolean> {
    const { user, token, dbname } = login
    const password = Buffer.from(`${token}\0`)
    // with the server's own plugin and no password, so that it asks for the one of the account
    const plugin = greeting?.plugin ?? ''
    let isAsked = plugin === CLEAR_TEXT
    const parts = [
      responseHead(),
      Buffer.from(`${user}\0`),
      lengthEncoded(isAsked ? password : Buffer.alloc(0)),
      Buffer.from(`${dbname ?? ''}\0`),
      Buffer.from(`${plugin}\0`),
    ]
    // the greeting was 0, and the request for TLS 1
    writePacket(channel, Buffer.concat(parts), 2)
    for (;;) {
      const { payload, sequence } = await readPacket(channel)
      if (payload[0] === OK) return isAsked
      if (payload[0] === ERROR)
        throw isAsked ? parseMysqlRefusal(payload, token) : refusalBeforeAsking(payload)
      const [named] = payload.toString('latin1', 1).split('\0')
      const wanted = named || UNNAMED
      if (payload[0] !== SWITCH || wanted !== CLEAR_TEXT)
        throw tokenNotWanted(payload[0] === SWITCH ? `the plugin ${wanted}` : `the plugin ${plugin}`)
      isAsked = true
      writePacket(channel, password, sequence + 1)
    }
  }

  return {
    requestTls,
    logIn,
    queryUser,
    quit: channel => writePacket(channel, Buffer.from([COM_QUIT]), 0),
  }
}

/** A server that says no to the empty password did not ask for a token: the account has another plugin, or does not exist. */
function refusalBeforeAsking(payload: Buffer): WireError {
  const refusal = parseMysqlRefusal(payload)
  if (refusal.code !== '1045') return refusal
  return refusedBy({ code: '1045', text: `${refusal.message}, before it asked for a token`, reply: payload })
}

async function queryUser(channel: SecureChannel): Promise<string> {
  writePacket(channel, Buffer.from('\x03select current_user()'), 0)
  const { payload: columns } = await readPacket(channel)
  if (columns[0] === ERROR) throw parseMysqlRefusal(columns)
  // the column, the end of columns, the row, the end of rows
  const payloads: Buffer[] = []
  for (let ends = 0; ends < 2; ) {
    const { payload } = await readPacket(channel)
    if (payload[0] === ERROR) throw parseMysqlRefusal(payload)
    if (payload[0] === END_OF_ROWS && payload.length < 9) ends++
    else payloads.push(payload)
  }
  const name = payloads[1] === undefined ? undefined : firstColumn(payloads[1])
  if (name === undefined) throw protocolError('the server answered the query without a row')
  return name
}

/** What a request for TLS is, and a response begins with: flags, packet size, character set, 23 zeros. */
function responseHead(): Buffer {
  const head = Buffer.alloc(32)
  head.writeUInt32LE(FLAGS, 0)
  head.writeUInt32LE(MAX_PACKET_SIZE, 4)
  head.writeUInt8(UTF8MB4, 8)
  return head
}
