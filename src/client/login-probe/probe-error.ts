/** How a step of a login failed. */
export type ProbeFailure =
  /** The server says no, with a code and a text of its own. */
  | 'refused'
  /** The server wants another password than a token: the account does not log in by IAM. */
  | 'token_not_wanted'
  /** The server has no TLS. */
  | 'no_tls'
  /** TLS began, and came to nothing: the two did not agree (with a code), or one fell silent (without). */
  | 'handshake'
  /** The certificate does not verify. Nothing secret was sent. */
  | 'untrusted'
  /** What answers does not speak the database's protocol. */
  | 'protocol'
  /** The connection ended, or never began. */
  | 'connection'
  | 'timeout'

export interface ProbeErrorOptions {
  failure: ProbeFailure
  /** The server's code, such as `28000` or `1045`, or the system's, such as `ECONNREFUSED`. */
  code?: string | undefined
  cause?: unknown
}

/** Why a step of a login failed. The message may quote the server, and never has the token in it. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError'
  readonly failure: ProbeFailure
  readonly code: string | undefined

  constructor(message: string, { failure, code, cause }: ProbeErrorOptions) {
    super(message, { cause })
    this.failure = failure
    this.code = code
  }
}

/** Returns the error of an answer that the protocol does not have at this point. */
export function protocolError(message: string): ProbeError {
  return new ProbeError(message, { failure: 'protocol' })
}
