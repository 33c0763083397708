/** 1 a failure, 2 wrong usage, 3 refused, 4 try later. */
export type FailureCode = 1 | 2 | 3 | 4

export interface CallerErrorOptions {
  exitCode: FailureCode
  /** The server's `code` (`access_denied`), where it gave one. */
  code?: string | undefined
  /** What an operator finds the request by. */
  requestId?: string | undefined
  /** Set where it is worth coming back: in so many milliseconds. */
  retryAfterMs?: number | undefined
  cause?: unknown
}

/** Why a caller got no token, in words for the terminal. The message never holds a credential or a token. */
export class CallerError extends Error {
  override readonly name = 'CallerError'
  readonly exitCode: FailureCode
  readonly code: string | undefined
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(message: string, { exitCode, code, requestId, retryAfterMs, cause }: CallerErrorOptions) {
    super(message, { cause })
    this.exitCode = exitCode
    this.code = code
    this.requestId = requestId
    this.retryAfterMs = retryAfterMs
  }
}

export function usageError(message: string): CallerError {
  return new CallerError(message, { exitCode: 2 })
}

export function failed(message: string, cause?: unknown): CallerError {
  return new CallerError(message, { exitCode: 1, cause })
}

/** One line for stderr: `jeton: detail (code, request id …)`. An error that is no CallerError tells only its system code. */
export function failureLine(cause: unknown): string {
  if (!(cause instanceof CallerError)) return `jeton: failed unexpectedly${systemCode(cause)}\n`
  const { message, code, requestId, retryAfterMs } = cause
  const notes = [
    ...(code === undefined ? [] : [code]),
    ...(requestId === undefined ? [] : [`request id ${requestId}`]),
    ...(retryAfterMs === undefined ? [] : [`try again in ${Math.ceil(retryAfterMs / 1000)} s`]),
  ]
  return `jeton: ${message}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}\n`
}

/** ` (ECONNREFUSED)`: the system's code alone, since messages of fetch and of the file system may quote their input. */
export function systemCode(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? ` (${inner.code})` : ''
}

const LONGEST_TOLD = 500

/** What a server said, fit for a terminal: no control characters (they could forge lines and colours), bounded in length. */
export function fitToShow(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim()
  return plain.length > LONGEST_TOLD ? `${plain.slice(0, LONGEST_TOLD)}…` : plain
}
