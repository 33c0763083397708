import { asJetonError, type ErrorCode, JetonError } from '../errors.ts'
import { MAX_BODY_BYTES } from './json-body.ts'

const DETAILS = {
  payload_too_large: `the body must be ${MAX_BODY_BYTES / 1024} KiB or less`,
  unsupported_media_type: 'send a JSON body with Content-Type: application/json',
  not_found: 'no route has this path; see /openapi.json',
  invalid_request: 'the body is not JSON',
} as const satisfies Partial<Record<ErrorCode, string>>

/** Fastify's codes for errors that a caller can cause. https://fastify.dev/docs/latest/Reference/Errors/ */
const CODES: Readonly<Record<string, keyof typeof DETAILS>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
}

/** A body may violate its schema in thousands of places; a reply and a record have room for a few. */
const MAX_VIOLATIONS = 5
/** Keys of the body that may be quoted: any other may be a secret in the wrong place. */
const PLAIN_KEY = /^\w{1,32}$/

/** The members of Ajv's errors that are used here. https://ajv.js.org/api.html#error-objects */
interface SchemaViolation {
  instancePath?: string
  message?: string
  params?: object
}

/** Returns what a request failed with: an error of Fastify's that a caller caused by its code, any other as `asJetonError` does. */
export function requestError(cause: unknown): JetonError {
  if (typeof cause !== 'object' || cause === null) return asJetonError(cause)
  const { code: fastifyCode } = cause as { code?: string }
  const code = fastifyCode === undefined ? undefined : CODES[fastifyCode]
  return code === undefined ? asJetonError(cause) : new JetonError(code, { publicMessage: DETAILS[code] })
}

/** Returns the error for a body that violates its schema. Fastify's own would capture a stack. */
export function schemaError(violations: readonly SchemaViolation[]): JetonError {
  return new JetonError('invalid_request', { publicMessage: describeViolations(violations) })
}

/** Returns the error for a path that no route has. */
export function notFoundError(): JetonError {
  return new JetonError('not_found', { publicMessage: DETAILS.not_found })
}

/** Returns the error for a caller that went away, or took too long, in the middle of its body. */
export function incompleteBodyError(): JetonError {
  return new JetonError('invalid_request', { publicMessage: 'the body did not arrive completely' })
}

/** Names the place in the body and the rule, never the value. */
function describeViolations(violations: readonly SchemaViolation[]): string {
  return violations
    .slice(0, MAX_VIOLATIONS)
    .map(({ instancePath = '', message = 'is not valid', params = {} }) => {
      const key = 'additionalProperty' in params ? params.additionalProperty : undefined
      const name = typeof key === 'string' && PLAIN_KEY.test(key) ? ` (${key})` : ''
      return `body${instancePath.replaceAll('/', '.')} ${message}${name}`
    })
    .join('; ')
}
