/** Every way a request can end other than well, as callers see it. The HTTP status of each stands here alone. */
export const STATUS = {
  invalid_request: 400,
  unauthenticated: 401,
  access_denied: 403,
  not_found: 404,
  payload_too_large: 413,
  unsupported_media_type: 415,
  throttled: 429,
  rate_limited: 429,
  headers_too_large: 431,
  internal_error: 500,
  role_refused: 502,
  temporarily_unavailable: 503,
} as const

export type ErrorCode = keyof typeof STATUS

export interface JetonErrorOptions {
  /** What the caller is told: what it may mend, and nothing of what it may not see. Never a secret. */
  publicMessage: string
  /** What the operator reads in the audit record. Never a secret. */
  reason?: string
  /** When to come back, in milliseconds from now; becomes `Retry-After`. */
  retryAfterMs?: number
  cause?: unknown
}

/** The one error that crosses jeton's parts. Whatever else is thrown is a bug and becomes `internal_error`. */
export class JetonError extends Error {
  override readonly name = 'JetonError'
  readonly code: ErrorCode
  readonly publicMessage: string
  readonly reason: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, options: JetonErrorOptions) {
    super(options.reason ?? options.publicMessage, { cause: options.cause })
    this.code = code
    this.publicMessage = options.publicMessage
    this.reason = options.reason
    this.retryAfterMs = options.retryAfterMs
  }

  get status(): number {
    return STATUS[this.code]
  }
}

/** Gives `cause` itself where it is a JetonError, else an `internal_error` that tells nothing of it. */
export function asJetonError(cause: unknown): JetonError {
  if (cause instanceof JetonError) return cause
  return new JetonError('internal_error', {
    publicMessage: 'jeton failed; the operator has a record of it',
    cause,
  })
}

/** A command was called wrongly: an unknown name, a missing option. The message is printed on the terminal; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
