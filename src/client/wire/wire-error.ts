import { fitForTerminal } from '../errors.ts'

/** How a step of a login failed. */
export type WireFailure =
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

export interface WireErrorOptions {
  failure: WireFailure
  /** The server's code, such as `28000` or `1045`, or the system's, such as `ECONNREFUSED`. */
  code?: string | undefined
  /** The server's own message, as it came, unless it has the token in it. */
  reply?: Buffer | undefined
  cause?: unknown
}

/** Why a step of a login failed. The message may quote the server, and never has the token in it. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly failure: WireFailure
  readonly code: string | undefined
  readonly reply: Buffer | undefined

  constructor(message: string, { failure, code, reply, cause }: WireErrorOptions) {
    super(message, { cause })
    this.failure = failure
    this.code = code
    this.reply = reply
  }
}

/** Returns the error of an answer that the protocol does not have at this point. */
export function protocolError(message: string): WireError {
  return new WireError(message, { failure: 'protocol' })
}

interface ServerRefusal {
  code: string
  text: string
  /** The server's whole message. */
  reply: Buffer
  /** A secret that must not be in what is shown or passed on. */
  token?: string | undefined
}

/** The error of a server that says no. What it says is fit for a terminal, and without the token should it have that in it. */
export function refusedBy({ code, text, reply, token }: ServerRefusal): WireError {
  const isQuoted = token !== undefined && (text.includes(token) || reply.includes(token))
  const shown = fitForTerminal(isQuoted ? text.replaceAll(token, '[token]') : text)
  return new WireError(shown, {
    failure: 'refused',
    code: fitForTerminal(code),
    ...(!isQuoted && { reply }),
  })
}

/** The error of a server that asks for something else than a token. */
export function tokenNotWanted(method: string): WireError {
  return new WireError(`the server asks for ${fitForTerminal(method)} and not for a token`, {
    failure: 'token_not_wanted',
  })
}
