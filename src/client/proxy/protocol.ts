import type { VendedToken } from '../library/types.ts'
import type { ByteChannel } from '../wire/byte-channel.ts'
import type { Dialed } from '../wire/dial.ts'
import type { SecureChannel } from '../wire/secure-channel.ts'
import type { SessionError } from './session-error.ts'

/** What a protocol works with to log a client in to one database. */
export interface ProtocolParts {
  /**
   * Returns what `attempt` resolves with. It is called with the current token. If the database refuses that token (a WireError
   * for which `isTokenRefused` holds), jeton is told so and asked once for another; while RDS throttles, the same token is
   * tried again for a while. Rejects with the last error of `attempt`, with TokenError, or with the reason of the signal.
   */
  logIn<T>(attempt: (token: VendedToken) => Promise<T>, signal: AbortSignal): Promise<T>
  /**
   * Connects to the endpoint that a token is for, at one address of it if that is given. The signal ends the connection, be it that
   * there is one already. Rejects with WireError.
   */
  dial(token: VendedToken, options: { signal: AbortSignal; address?: string | undefined }): Promise<Dialed>
  /** Makes TLS of a connection to the token's database, verified by its name and CA. Rejects with WireError. */
  secure(dialed: Dialed, token: VendedToken): Promise<SecureChannel>
  /** Who runs the proxy, for the list of sessions in the database; undefined if nothing is to be added. */
  callerName: string | undefined
}

/** A protocol of databases for one database. */
export interface ProxyProtocol {
  /** Returns what serves one local connection. Nobody else reads the channel. */
  accept(client: ByteChannel): ClientSession
}

/** One local connection, until its bytes are copied. */
export interface ClientSession {
  /**
   * Speaks with the client, and logs in for it. Resolves with undefined if nothing is left to do, as after a request to cancel.
   * Rejects with SessionError, with what `ProtocolParts` reject with, and with WireError; ends what it dialed before. The signal
   * aborts when the time for a handshake is over, the client is gone or the proxy ends.
   */
  open(signal: AbortSignal): Promise<Link | undefined>
  /** Returns a well-formed message of why there is no login, as the client expects it at this point; empty if it expects none. */
  encodeError(error: SessionError): Buffer
}

/** A connection to the database that is logged in, ready to be joined to the client's. */
export interface Link {
  readonly server: SecureChannel
  /** What the client is to be sent first. */
  readonly toClient: Buffer
  /** Called once when the session has ended. */
  onEnd?(): void
}
