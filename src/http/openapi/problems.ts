import * as Type from 'typebox'
import { type ErrorCode, JetonError, STATUS } from '../../errors.ts'
import { PROBLEM_TYPE, problemOf } from '../problem.ts'
import { DENIED_CALLER } from './examples.ts'
import { HEADERS, headerRefs } from './headers.ts'

/** A problem that a request may be answered with: an example of its code. */
export interface ProblemExample {
  readonly code: ErrorCode
  readonly detail: string
  /** Its name among the examples of one reply; default: the code. */
  readonly name?: string
}

/** The body of every problem. `sendProblem` renders it. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({
      pattern: '^urn:jeton:problem:\\w+$',
      description: 'urn:jeton:problem: and the code.',
    }),
    code: Type.String({ description: 'Never renamed; new ones may come.' }),
    title: Type.String({ description: 'The same for every problem with this code.' }),
    status: Type.Integer({ description: 'The HTTP status.' }),
    detail: Type.String({
      description: 'What was wrong with this request. For people: its words may change.',
    }),
    requestId: Type.String({ description: 'Give it to the operator: it is in the record.' }),
    principal: Type.Optional(
      Type.Object(
        {
          issuer: Type.String({ description: 'The name of the issuer in the configuration, or `apiKey`.' }),
          subject: Type.String({ description: "The JWT's `sub`, or the name of the API key." }),
        },
        { description: 'Whom jeton takes the caller for. Only of a 403.' },
      ),
    ),
    auditId: Type.Optional(
      Type.String({
        description:
          'The id of the record that says why, for the operator. Only of a 403. Many at once share the record that counts them, which is written within two minutes.',
      }),
    ),
  },
  { description: 'A problem (RFC 9457).' },
)

const MEANINGS: Readonly<Record<ErrorCode, string>> = {
  invalid_request:
    'The request is malformed, or its body is not of the schema. `detail` says what to correct.',
  unauthenticated: 'No credential, or one that does not verify. Get a new JWT, and check its audience.',
  access_denied:
    'No grant allows it, or there is no such database: ask the operator for a grant. The reason is in the record.',
  not_found: 'There is nothing at this path.',
  method_not_allowed: 'This path has other methods.',
  payload_too_large: 'The body is larger than 16 KiB.',
  unsupported_media_type: 'The body must be `application/json`, without `Content-Encoding`.',
  throttled:
    '`throttled`: more new tokens are wanted than RDS accepts logins with. Try again after `Retry-After`; asking sooner does not move the moment.',
  rate_limited:
    '`rate_limited`: too many credentials from this address did not verify. One that verifies is never refused for that.',
  headers_too_large: 'The headers are larger than 32 KiB.',
  internal_error: 'A bug: report `requestId` to the operator.',
  role_refused: 'AWS refuses the role of the database. Waiting does not help: tell the operator.',
  temporarily_unavailable: 'Something that jeton needs does not answer. Try again after `Retry-After`.',
}

/** By status, the headers beside those that every problem has. */
const MORE_HEADERS: Readonly<Record<number, Parameters<typeof headerRefs>[0]>> = {
  401: { 'WWW-Authenticate': 'Challenge' },
  405: { Allow: 'Allow' },
  415: { 'Accept-Encoding': 'AcceptEncoding' },
  429: { 'Retry-After': 'RetryAfter' },
  503: { 'Retry-After': 'RetryAfter' },
}

/** Returns a reply for each status of some problems, with each of them as an example. */
export function problemResponses(problems: readonly ProblemExample[]) {
  const statuses = new Set(problems.map(({ code }) => STATUS[code]))
  return Object.fromEntries(
    [...statuses].map(status => [
      status,
      problemResponse(
        status,
        problems.filter(({ code }) => STATUS[code] === status),
      ),
    ]),
  )
}

function problemResponse(status: number, problems: readonly ProblemExample[]) {
  const codes = [...new Set(problems.map(({ code }) => code))]
  const examples = Object.fromEntries(
    problems.map(({ code, detail, name = code }) => [
      name,
      {
        summary: detail,
        value: problemOf(
          new JetonError(code, { publicMessage: detail }),
          HEADERS.RequestId.example,
          code === 'access_denied' ? DENIED_CALLER : {},
        ),
      },
    ]),
  )
  return {
    description: codes.map(code => MEANINGS[code]).join(' '),
    headers: headerRefs({
      'X-Request-Id': 'RequestId',
      'Cache-Control': 'NoStore',
      ...MORE_HEADERS[status],
    }),
    content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' }, examples } },
  }
}
