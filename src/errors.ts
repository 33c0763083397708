/** The HTTP status of every error code. Codes and statuses are public: docs/http.md lists them. */
export const STATUS = {
  invalid_request: 400,
  unauthenticated: 401,
  access_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  throttled: 429,
  rate_limited: 429,
  headers_too_large: 431,
  internal_error: 500,
  role_refused: 502,
  temporarily_unavailable: 503,
} as const

/** A public error code. */
export type ErrorCode = keyof typeof STATUS

export interface JetonErrorOptions {
  /** The `detail` that the caller reads: what they can fix, and nothing about what they may not see. Never a secret. */
  publicMessage: string
  /**
   * What the operator reads in the audit record; `publicMessage` unless given. Never a secret. A function is called when the
   * reason is first read: how long it takes then tells the caller nothing.
   */
  reason?: string | (() => string)
  /** How long the caller should wait, in milliseconds from now; becomes `Retry-After`. */
  retryAfterMs?: number
  cause?: unknown
}

/**
 * The error that a request may end in. Anything else that is thrown is a bug, which the caller sees as `internal_error`. A refusal
 * (a status below 500) has no stack: nobody is shown where it was decided, and to capture one costs more than to decide.
 */
export class JetonError extends Error {
  override readonly name = 'JetonError'
  readonly code: ErrorCode
  readonly publicMessage: string
  #reason: string | (() => string) | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, options: JetonErrorOptions) {
    const { reason, publicMessage } = options
    // V8 has no other way; nothing else runs before it is put back
    const { stackTraceLimit } = Error
    const isRefusal = STATUS[code] < 500
    if (isRefusal) Error.stackTraceLimit = 0
    super(typeof reason === 'string' ? reason : publicMessage, { cause: options.cause })
    if (isRefusal) Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.publicMessage = publicMessage
    this.#reason = reason
    this.retryAfterMs = options.retryAfterMs
  }

  /** Never throws. */
  get reason(): string | undefined {
    if (typeof this.#reason === 'function') this.#reason = textOrWhyNot(this.#reason)
    return this.#reason
  }

  get status(): number {
    return STATUS[this.code]
  }
}

function textOrWhyNot(find: () => string): string {
  try {
    return find()
  } catch (cause) {
    // not its message: it may quote anything
    return `the reason could not be found out (${cause instanceof Error ? cause.name : 'an error'})`
  }
}

/** Returns `cause` itself if it is a JetonError, else an `internal_error` that says nothing about it. */
export function asJetonError(cause: unknown): JetonError {
  if (cause instanceof JetonError) return cause
  return new JetonError('internal_error', {
    publicMessage: 'jeton failed; the operator has a record of it',
    cause,
  })
}

/** A command was called wrongly, with an unknown name or without an option. The message is for the terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
