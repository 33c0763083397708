import { CallerError, type CallerErrorOptions } from './errors.ts'
import type { ParsedReply } from './http.ts'

/** Too many requests, and what a server or a proxy in front of it answers while it restarts or has too much to do. */
const TEMPORARY = [429, 502, 503, 504]

/** The shortest pause that a server can ask for. */
const MIN_RETRY_MS = 1000

/** Whether a status says that the same request may succeed later. jeton's own 502 `role_refused` does not. */
export function isTemporaryStatus(status: number): boolean {
  return TEMPORARY.includes(status)
}

/** Returns the milliseconds that `Retry-After` asks to wait, at least 1 s; undefined without one (RFC 9110, 10.2.3). */
export function retryAfterMs({ headers }: Pick<ParsedReply, 'headers'>, now: number): number | undefined {
  const text = headers['retry-after'] ?? ''
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(ms) ? Math.max(ms, MIN_RETRY_MS) : undefined
}

/** That of Azure's metadata server while it is updated. */
const GONE = 410

/**
 * Returns the error for an answer of another server than jeton, such as a platform's token endpoint: exit code 4 and temporary
 * for a status that may pass, which is any that says that the server failed; else exit code 1. `now` is in milliseconds.
 */
export function statusFailure(
  message: string,
  { reply, now }: { reply: Pick<ParsedReply, 'status' | 'headers'>; now: number },
): CallerError {
  const { status } = reply
  const isTemporary = isTemporaryStatus(status) || status >= 500 || status === GONE
  const options: CallerErrorOptions = isTemporary
    ? { exitCode: 4, isTemporary, retryAfterMs: retryAfterMs(reply, now) }
    : { exitCode: 1 }
  return new CallerError(message, options)
}
