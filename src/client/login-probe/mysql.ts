import type { ByteChannel } from '../wire/byte-channel.ts'
import { logInWithToken } from '../wire/mysql-login.ts'
import {
  CAPABILITY,
  COM_QUIT,
  ERROR,
  firstColumn,
  type Greeting,
  lengthEncoded,
  parseMysqlRefusal,
  readPacket,
  writePacket,
} from '../wire/mysql-packets.ts'
import { readGreeting, requestMysqlTls, responseHead, TLS_LOGIN } from '../wire/mysql-tls.ts'
import type { SecureChannel } from '../wire/secure-channel.ts'
import { protocolError } from '../wire/wire-error.ts'
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

  async function logIn(channel: SecureChannel, { user, token, dbname }: LoginRequest): Promise<boolean> {
    const plugin = greeting?.plugin ?? ''
    const encodeResponse = (password: Buffer) =>
      Buffer.concat([
        HEAD,
        Buffer.from(`${user}\0`),
        lengthEncoded(password),
        Buffer.from(`${dbname ?? ''}\0`),
        Buffer.from(`${plugin}\0`),
      ])
    const { isAsked } = await logInWithToken(channel, { plugin, token, encodeResponse })
    return isAsked
  }

  return {
    requestTls,
    logIn,
    queryUser,
    quit: channel => writePacket(channel, Buffer.from([COM_QUIT]), 0),
  }
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
