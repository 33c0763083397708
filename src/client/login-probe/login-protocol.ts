import { fitForTerminal } from '../errors.ts'
import type { ByteChannel } from './byte-channel.ts'
import { ProbeError } from './probe-error.ts'
import type { SecureChannel } from './secure-channel.ts'

/** Who logs in to what. `token` is a secret. */
export interface LoginRequest {
  user: string
  token: string
  /** Unless given, what the server takes by default. */
  dbname?: string | undefined
}

/** A database's protocol on one connection, in this order. Every function rejects with ProbeError. */
export interface LoginProtocol {
  /** Asks a server for TLS. When it resolves, the TLS handshake is next. */
  requestTls(channel: ByteChannel): Promise<void>
  /**
   * Logs in with the token, which is sent only if the server asks for a password in clear text. Returns whether it did: a server
   * may let a user in who has no password.
   */
  logIn(channel: SecureChannel, login: LoginRequest): Promise<boolean>
  /** Returns who the server says that the user is. */
  queryUser(channel: SecureChannel): Promise<string>
  /** Tells the server that the connection ends. */
  quit(channel: SecureChannel): void
}

/** The error of a server that says no. What it says is fit for a terminal, and without the token should it have that in it. */
export function refusedBy({ code, text, token }: { code: string; text: string; token?: string }): ProbeError {
  const shown = fitForTerminal(token === undefined ? text : text.replaceAll(token, '[token]'))
  return new ProbeError(shown, { failure: 'refused', code: fitForTerminal(code) })
}

/** The error of a server that asks for something else than a token. */
export function tokenNotWanted(method: string): ProbeError {
  return new ProbeError(`the server asks for ${fitForTerminal(method)} and not for a token`, {
    failure: 'token_not_wanted',
  })
}
