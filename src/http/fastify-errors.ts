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

/** Returns what a request failed with: an error of Fastify's that a caller caused by its code, any other as `asJetonError` does. */
export function requestError(cause: unknown): JetonError {
  if (typeof cause !== 'object' || cause === null) return asJetonError(cause)
  const { code: fastifyCode } = cause as { code?: string }
  const code = fastifyCode === undefined ? undefined : CODES[fastifyCode]
  return code === undefined ? asJetonError(cause) : new JetonError(code, { publicMessage: DETAILS[code] })
}

/** Returns the error for a path that no route has. */
export function notFoundError(): JetonError {
  return new JetonError('not_found', { publicMessage: DETAILS.not_found })
}

/** Returns the error for a caller that went away, or took too long, in the middle of its body. */
export function incompleteBodyError(): JetonError {
  return new JetonError('invalid_request', { publicMessage: 'the body did not arrive completely' })
}
