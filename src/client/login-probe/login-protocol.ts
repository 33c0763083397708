import type { ByteChannel } from '../wire/byte-channel.ts'
import type { SecureChannel } from '../wire/secure-channel.ts'

/** Who logs in to what. `token` is a secret. */
export interface LoginRequest {
  user: string
  token: string
  /** Unless given, what the server takes by default. */
  dbname?: string | undefined
}

/** A database's protocol on one connection, in this order. Every function rejects with WireError. */
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
