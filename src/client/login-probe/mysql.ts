import type { ByteChannel } from '../wire/byte-channel.ts'
import {
  CAPABILITY,
  CLEAR_TEXT,
  COM_QUIT,
  ERROR,
  firstColumn,
  type Greeting,
  lengthEncoded,
  OK,
  parseMysqlRefusal,
  readPacket,
  SWITCH,
  switchedPlugin,
  writePacket,
} from '../wire/mysql-packets.ts'
import { readGreeting, requestMysqlTls, responseHead, TLS_LOGIN } from '../wire/mysql-tls.ts'
import type { SecureChannel } from '../wire/secure-channel.ts'
import { protocolError, refusedBy, tokenNotWanted, type WireError } from '../wire/wire-error.ts'
import type { LoginProtocol, LoginRequest } from './login-protocol.ts'

const END_OF_ROWS = 0xfe
const HEAD = responseHead(TLS_LOGIN | CAPABILITY.connectWithDb)

/**
 * Returns the protocol of MySQL and MariaDB for one connection, as far as a login and one query need it.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 */
export function createMysqlProtocol(): LoginProtocol {
  let greeting: Greeting | undefined

  async function requestTls(channel: ByteChannel): Promise<void> {
    greeting = await readGreeting(channel)
    requestMysqlTls(channel, HEAD)
  }

  async function logIn(channel: SecureChannel, login: LoginRequest): Promise<boolean> {
    const { user, token, dbname } = login
    const password = Buffer.from(`${token}\0`)
    // with the server's own plugin and no password, so that it asks for the one of the account
    const plugin = greeting?.plugin ?? ''
    let isAsked = plugin === CLEAR_TEXT
    const parts = [
      HEAD,
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
      const wanted = switchedPlugin(payload)
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
