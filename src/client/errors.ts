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
  /** The id of the audit record, if the server sent one. */
  auditId?: string | undefined
  /** Whom the server took the caller for, if it said so. */
  principal?: RefusedPrincipal | undefined
  /** Which credential was used, in words. */
  identity?: string | undefined
  /** Whether the same request may succeed later; default: whether `retryAfterMs` is given. */
  isTemporary?: boolean
  /** In how many milliseconds the server asks to try again. */
  retryAfterMs?: number | undefined
  cause?: unknown
}

/** The caller, by the names that grants use for it. */
export interface RefusedPrincipal {
  readonly issuer: string
  readonly subject: string
}

/** Why a caller got no token, in words for the terminal. The message never contains a credential or a token. */
export class CallerError extends Error {
  override readonly name = 'CallerError'
  readonly exitCode: CallerExitCode
  readonly code: string | undefined
  readonly requestId: string | undefined
  readonly auditId: string | undefined
  readonly principal: RefusedPrincipal | undefined
  readonly identity: string | undefined
  readonly isTemporary: boolean
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: CallerErrorOptions) {
    super(message, { cause: options.cause })
    this.exitCode = options.exitCode
    this.code = options.code
    this.requestId = options.requestId
    this.auditId = options.auditId
    this.principal = options.principal
    this.identity = options.identity
    this.retryAfterMs = options.retryAfterMs
    this.isTemporary = options.isTemporary ?? options.retryAfterMs !== undefined
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

/** As `failure`, for what may pass by itself, so that `--wait` tries again. */
export function temporaryFailure(message: string, cause?: unknown): CallerError {
  return new CallerError(message, { exitCode: 1, isTemporary: true, cause })
}

/** Returns a line for stderr: `jeton: detail (code, request id …)`. Any error but CallerError shows only its system code. */
export function errorLine(cause: unknown): string {
  if (!(cause instanceof CallerError)) return `jeton: failed unexpectedly${systemCodeNote(cause)}\n`
  return `${escapeUnprintable(`jeton: ${errorText(cause)}`)}\n`
}

/** Returns all that a caller may know of an error, in one line whose characters are not checked. */
export function errorText(cause: CallerError): string {
  const { message, code, requestId, auditId } = cause
  const notes = [
    ...(code === undefined ? [] : [code]),
    ...(requestId === undefined ? [] : [`request id ${requestId}`]),
    ...(auditId === undefined ? [] : [`audit id ${auditId}`]),
    ...retryNote(cause),
  ]
  const noted = notes.length > 0 ? ` (${notes.join(', ')})` : ''
  return `${message}${noted}${callerNote(cause)}`
}

function retryNote({ exitCode, retryAfterMs }: CallerError): string[] {
  if (retryAfterMs !== undefined) return [`try again in ${Math.ceil(retryAfterMs / 1000)} s`]
  return exitCode === 4 ? ['try again later'] : []
}

/** Returns whom the server took the caller for, and by which credential, to end a sentence with; empty if neither is known. */
export function callerNote({ principal, identity }: CallerError): string {
  const as = principal && `you are "${principal.subject}" of the issuer "${principal.issuer}"`
  const by = identity && `the credential is ${identity}`
  const notes = [as, by].filter(Boolean)
  return notes.length > 0 ? `; ${notes.join(', ')}` : ''
}

const MAX_SHOWN_LENGTH = 500

/**
 * Returns what a server said, fit for a terminal: at most 500 characters, with what could forge lines or colours escaped.
 */
export function fitForTerminal(text: string): string {
  return shorten(escapeUnprintable(text.trim()), MAX_SHOWN_LENGTH)
}
