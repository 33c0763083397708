import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { ErrorCode, JetonError } from '../errors.ts'
import { printableJson } from '../lib/printable.ts'
import { authenticateChallenge } from './challenge.ts'

export const PROBLEM_TYPE = 'application/problem+json'

const TITLES: Readonly<Record<ErrorCode, string>> = {
  invalid_request: 'The request is not valid',
  unauthenticated: 'The credential is missing or does not verify',
  access_denied: 'No grant allows it',
  not_found: 'There is nothing here',
  method_not_allowed: 'The method is not the one of this path',
  payload_too_large: 'The body is too large',
  unsupported_media_type: 'The body must be JSON',
  throttled: 'Too many new tokens at once',
  rate_limited: 'Too many failures to authenticate',
  headers_too_large: 'The headers are too large',
  internal_error: 'jeton failed',
  role_refused: 'AWS refuses the role',
  temporarily_unavailable: 'Temporarily unavailable',
}

/** For a 503 whose cause does not say when it may be over. */
const DEFAULT_RETRY_AFTER_SECONDS = 5

/** Returns the URI of a kind of problem: a name, which never changes and leads nowhere. docs/http.md lists the codes. */
function problemType(code: ErrorCode): string {
  return `urn:jeton:problem:${code}`
}

/** What a problem tells a verified caller of itself: extension members (RFC 9457, 3.2). */
export interface ProblemMembers {
  readonly principal?: { readonly issuer: string; readonly subject: string }
  /** The id of the record. */
  readonly auditId?: string
}

/** Returns the body of a problem (RFC 9457). The error's `reason` and `cause` are for the operator and stay out of it. */
export function problemOf(error: JetonError, requestId: string, members: ProblemMembers = {}) {
  const { code, status, publicMessage } = error
  const type = problemType(code)
  return { type, code, title: TITLES[code], status, detail: publicMessage, requestId, ...members }
}

/**
 * Returns the headers of a reply with a problem as its body, without those of every reply. `authorization` is the credential
 * that the request showed.
 */
export function problemHeaders(error: JetonError, authorization?: string): Record<string, string> {
  const retryAfter = retryAfterSeconds(error)
  return {
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...(error.status === 401 && { 'www-authenticate': authenticateChallenge(authorization) }),
    'cache-control': 'no-store',
    'content-type': PROBLEM_TYPE,
  }
}

/** Answers a request with a problem. */
export function sendProblem(reply: FastifyReply, error: JetonError, members?: ProblemMembers): FastifyReply {
  return reply
    .code(error.status)
    .headers(problemHeaders(error, reply.request.headers.authorization))
    .send(printableJson(problemOf(error, reply.request.id, members)))
}

/** Returns a problem as the bytes of an HTTP/1.1 response that closes the connection, for a socket without a request. */
export function rawProblem(error: JetonError, requestId: string): string {
  const body = printableJson(problemOf(error, requestId))
  return [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}

/** `Retry-After` in whole seconds (RFC 9110, 10.2.3), rounded up so as never to be too early. A 503 always has one. */
function retryAfterSeconds({ status, retryAfterMs }: JetonError): number | undefined {
  if (retryAfterMs === undefined) return status === 503 ? DEFAULT_RETRY_AFTER_SECONDS : undefined
  return Math.max(1, Math.ceil(retryAfterMs / 1000))
}
