import {
  CLEAR_TEXT,
  ERROR,
  OK,
  parseMysqlRefusal,
  readPacket,
  SWITCH,
  switchedPlugin,
  writePacket,
} from './mysql-packets.ts'
import type { SecureChannel } from './secure-channel.ts'
import { protocolError, tokenNotWanted, WireError } from './wire-error.ts'

const MORE_DATA = 0x01
/** After the greeting and the request for TLS. */
const RESPONSE = 2

export interface TokenLogin {
  /** That of the server's greeting, which the response is to name, too. */
  plugin: string
  token: string
  /** Returns the response with this password in it. */
  encodeResponse(password: Buffer): Buffer
}

export interface AcceptedLogin {
  ok: Buffer
  /** Whether the server asked for the token: an account without a password is let in without it. */
  isAsked: boolean
}

/**
 * Logs in to a server that has greeted, as its own clients do: with the plugin of the greeting and no password, so that the server
 * asks for the plugin of the account. The token is sent once, and only if that is the one for clear text. Rejects with WireError.
 */
export async function logInWithToken(
  channel: SecureChannel,
  { plugin, token, encodeResponse }: TokenLogin,
): Promise<AcceptedLogin> {
  const password = Buffer.from(`${token}\0`)
  let isAsked = plugin === CLEAR_TEXT
  writePacket(channel, encodeResponse(isAsked ? password : Buffer.alloc(0)), RESPONSE)
  for (;;) {
    const { payload, sequence } = await readPacket(channel)
    switch (payload[0]) {
      case OK:
        return { ok: payload, isAsked }
      case ERROR:
        throw isAsked ? parseMysqlRefusal(payload, token) : refusalBeforeAsking(payload)
      case MORE_DATA:
        throw tokenNotWanted(`more than a password by the plugin ${plugin}`)
      case SWITCH:
        break
      default:
        throw protocolError('the server answered the login with what is no answer')
    }
    const wanted = switchedPlugin(payload)
    if (wanted !== CLEAR_TEXT) throw tokenNotWanted(`the plugin ${wanted}`)
    if (isAsked) throw protocolError('the server asks for the token again and again')
    isAsked = true
    writePacket(channel, password, sequence + 1)
  }
}

/** A server that says no to the empty password did not ask for a token: the account has another plugin, or does not exist. */
function refusalBeforeAsking(payload: Buffer): WireError {
  const refusal = parseMysqlRefusal(payload)
  if (refusal.code !== '1045') return refusal
  const message = `${refusal.message}, before it asked for a token`
  return new WireError(message, { failure: 'token_not_wanted', code: '1045' })
}
