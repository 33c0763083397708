import { escapeUnprintable, shorten } from '../lib/printable.ts'
import { systemCodeNote } from '../lib/system-error.ts'

/** 1 failure, 2 usage error, 3 refused, 4 try later. */
export type CallerExitCode = 1 | 2 | 3 | 4

export interface CallerErrorOptions {
  exitCode: CallerExitCode
  /** The server's `code`, such as `access_denied`, if it sent one. */
  code?: string | undefined
  /** Lets an operator find the request. */
  requestId?: string | undefined
  /** In how many milliseconds to try again; undefined if that would not help. */
  retryAfterMs?: number | undefined
  cause?: unknown
}

/** Why a caller got no token, in words for the terminal. The message never contains a credential or a token. */
export class CallerError extends Error {
  override readonly name = 'CallerError'
  readonly exitCode: CallerExitCode
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

/** Returns an error with the exit code for a usage error. */
export function invalidUsage(message: string): CallerError {
  return new CallerError(message, { exitCode: 2 })
}

/** Returns an error with the exit code for a failure. */
export function failure(message: string, cause?: unknown): CallerError {
  return new CallerError(message, { exitCode: 1, cause })
}

/** Returns a line for stderr: `jeton: detail (code, request id …)`. Any error but CallerError shows only its system code. */
export function errorLine(cause: unknown): string {
  if (!(cause instanceof CallerError)) return `jeton: failed unexpectedly${systemCodeNote(cause)}\n`
  const { message, code, requestId, retryAfterMs } = cause
  const notes = [
    ...(code === undefined ? [] : [code]),
    ...(requestId === undefined ? [] : [`request id ${requestId}`]),
    ...(retryAfterMs === undefined ? [] : [`try again in ${Math.ceil(retryAfterMs / 1000)} s`]),
  ]
  return `${escapeUnprintable(`jeton: ${message}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`)}\n`
}

const MAX_SHOWN_LENGTH = 500

/**
 * Returns what a server said, fit for a terminal: at most 500 characters, with what could forge lines or colours escaped.
 */
export function fitForTerminal(text: string): string {
  return shorten(escapeUnprintable(text.trim()), MAX_SHOWN_LENGTH)
}
