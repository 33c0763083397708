/** Why a client gets no session. */
export type SessionFailure =
  /** jeton refuses the caller, or nobody can change it by trying again: the client is told to ask an operator. */
  | 'refused'
  /** What may pass: jeton or the database is throttled, restarts or does not answer; `retryAfterMs` says when, if anybody did. */
  | 'unavailable'
  /** More connections than the proxy is to have. */
  | 'too_many'
  /** The client asks for what the proxy does not do, such as replication, or speaks another protocol. */
  | 'unsupported'
  /** The client did not say in time what it wants. */
  | 'timeout'
  /** The proxy is ending. */
  | 'ending'
  /** The database itself said no; `reply` is its own message. */
  | 'database'

export interface SessionErrorOptions {
  failure: SessionFailure
  /** In how many milliseconds to come back. */
  retryAfterMs?: number | undefined
  /** What the database said, as it came and without a token in it, to be passed on. */
  reply?: Buffer | undefined
  cause?: unknown
}

/** Why a client gets no session, in a sentence for it that holds no secret. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly failure: SessionFailure
  readonly retryAfterMs: number | undefined
  readonly reply: Buffer | undefined

  constructor(message: string, { failure, retryAfterMs, reply, cause }: SessionErrorOptions) {
    super(message, { cause })
    this.failure = failure
    this.retryAfterMs = retryAfterMs
    this.reply = reply
  }
}
