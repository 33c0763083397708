import {
  AUTHENTICATION,
  authenticationOf,
  encodeMessage,
  FIRST_MESSAGE,
  int32,
  nameAuthentication,
  parsePostgresRefusal,
  readMessage,
  withLength,
} from '../wire/postgres-messages.ts'
import { requestPostgresTls } from '../wire/postgres-tls.ts'
import type { SecureChannel } from '../wire/secure-channel.ts'
import { protocolError, tokenNotWanted } from '../wire/wire-error.ts'
import type { LoginProtocol, LoginRequest } from './login-protocol.ts'

/**
 * Returns the protocol of PostgreSQL, version 3.0, as far as a login and one query need it.
 * https://www.postgresql.org/docs/current/protocol-flow.html
 */
export function createPostgresProtocol(): LoginProtocol {
  return {
    requestTls: requestPostgresTls,
    logIn,
    queryUser,
    quit: channel => channel.write(encodeMessage('X', Buffer.alloc(0))),
  }
}

async function logIn(channel: SecureChannel, { user, token, dbname }: LoginRequest): Promise<boolean> {
  const parameters = {
    user,
    ...(dbname !== undefined && { database: dbname }),
    application_name: 'jeton doctor',
  }
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`)
  channel.write(withLength(int32(FIRST_MESSAGE.protocol3), Buffer.from(`${pairs.join('')}\0`)))
  let isAsked = false
  let isAccepted = false
  for (;;) {
    const { type, body } = await readMessage(channel)
    if (type === 'E') throw parsePostgresRefusal(body, token)
    if (type === 'Z' && isAccepted) return isAsked
    if (type !== 'R') continue
    const method = authenticationOf(body)
    if (method === AUTHENTICATION.ok) isAccepted = true
    else if (method === AUTHENTICATION.clearText) {
      isAsked = true
      channel.write(encodeMessage('p', Buffer.from(`${token}\0`)))
    } else throw tokenNotWanted(nameAuthentication(method))
  }
}

async function queryUser(channel: SecureChannel): Promise<string> {
  channel.write(encodeMessage('Q', Buffer.from('select current_user\0')))
  let name: string | undefined
  for (;;) {
    const { type, body } = await readMessage(channel)
    if (type === 'E') throw parsePostgresRefusal(body)
    // one column: their number in two bytes, then its length in four
    if (type === 'D' && body.length >= 6) name = body.toString('utf8', 6, 6 + body.readInt32BE(2))
    if (type !== 'Z') continue
    if (name === undefined) throw protocolError('the server answered the query without a row')
    return name
  }
}
