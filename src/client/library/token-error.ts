export interface TokenErrorOptions {
  code?: string | undefined
  isTemporary?: boolean
  retryAfterMs?: number | undefined
  requestId?: string | undefined
  auditId?: string | undefined
  cause?: unknown
}

/** Why there is no token. Neither the message nor anything else in it is a secret. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  /** The server's `code`, such as `access_denied`, if it answered with one. */
  readonly code: string | undefined
  /** Whether the same call may succeed later, with nothing changed by anybody. */
  readonly isTemporary: boolean
  /** In how many milliseconds the server asks to come back. */
  readonly retryAfterMs: number | undefined
  /** Lets an operator find the request. */
  readonly requestId: string | undefined
  /** The id of the record, if the server named it. */
  readonly auditId: string | undefined

  constructor(message: string, options: TokenErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = options.code
    this.isTemporary = options.isTemporary ?? false
    this.retryAfterMs = options.retryAfterMs
    this.requestId = options.requestId
    this.auditId = options.auditId
  }
}
