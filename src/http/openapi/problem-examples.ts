import type { ProblemExample } from './problems.ts'

/** What any request may be answered with. */
export const commonProblems = (method: string): readonly ProblemExample[] => [
  { code: 'invalid_request', name: 'head', detail: 'the request has no Host header' },
  { code: 'method_not_allowed', detail: `this path takes ${method === 'GET' ? 'GET, HEAD' : method}` },
  { code: 'headers_too_large', detail: 'the headers must be 32 KiB or less' },
  { code: 'internal_error', detail: 'jeton failed; the operator has a record of it' },
  {
    code: 'temporarily_unavailable',
    name: 'notStarted',
    detail: 'jeton cannot start; its operator has to act',
  },
]

/** What a request with a credential may be answered with. */
export const CREDENTIAL_PROBLEMS: readonly ProblemExample[] = [
  {
    code: 'unauthenticated',
    name: 'missing',
    detail: 'no credential; send Authorization: Bearer ... or ApiKey ...',
  },
  { code: 'unauthenticated', name: 'expired', detail: 'the JWT expired at 2026-11-23T09:59:00.000Z' },
  { code: 'unauthenticated', name: 'audience', detail: 'the audience of the JWT is not "jeton"' },
  {
    code: 'rate_limited',
    detail:
      'too many failures to authenticate from this address; a credential that verifies is still accepted',
  },
  {
    code: 'temporarily_unavailable',
    name: 'issuerKeys',
    detail: "the keys of the JWT's issuer cannot be fetched at the moment",
  },
]

/** What else a request for a token may be answered with. */
export const TOKEN_PROBLEMS: readonly ProblemExample[] = [
  { code: 'invalid_request', name: 'body', detail: "body must have required property 'database'" },
  { code: 'invalid_request', name: 'user', detail: 'name a user: app_ro, app_rw are granted' },
  {
    code: 'access_denied',
    detail: 'no grant allows this principal a token for this database and user',
  },
  { code: 'payload_too_large', detail: 'the body must be 16 KiB or less' },
  {
    code: 'unsupported_media_type',
    detail: 'send a JSON body with Content-Type: application/json',
  },
  { code: 'throttled', detail: 'too many new tokens for this database at once; try again' },
  {
    code: 'role_refused',
    detail: 'AWS refuses the role of this database; the operator of jeton must act',
  },
  { code: 'temporarily_unavailable', name: 'sts', detail: 'AWS STS cannot be reached; try again' },
  { code: 'temporarily_unavailable', name: 'auditLog', detail: 'the audit log cannot be written' },
]
