import type { IncomingMessage } from 'node:http'
import { type ErrorCode, JetonError } from '../errors.ts'

const WHAT_TO_DO = {
  payload_too_large: 'a request of this API fits into 16 KiB',
  unsupported_media_type: 'send a JSON body with Content-Type: application/json',
  not_found: 'see /openapi.json for what there is',
  invalid_request: 'the body is not JSON',
} as const satisfies Partial<Record<ErrorCode, string>>

/** Fastify's own errors that a request can bring about, by their codes, as ours. https://fastify.dev/docs/latest/Reference/Errors/ */
const OF_FASTIFY: Readonly<Record<string, keyof typeof WHAT_TO_DO>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_VALIDATION: 'invalid_request',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
}

/** A body may have thousands of faults; a reply and a record have room for a few. */
const FAULTS_TOLD = 5
/** What a key of the body looks like that can be told: anything else may be a secret in the wrong place. */
const PLAIN_NAME = /^\w{1,32}$/

interface Fault {
  instancePath?: string
  message?: string
  params?: object
}

/** What the framework threw, as a JetonError; undefined where it is none of the framework's: then it is a bug. */
export function errorFromFastify(cause: unknown): JetonError | undefined {
  if (typeof cause !== 'object' || cause === null) return undefined
  const { code, validation } = cause as { code?: string; validation?: readonly Fault[] }
  const known = code === undefined ? undefined : OF_FASTIFY[code]
  if (known === undefined) return undefined
  return new JetonError(known, { publicMessage: validation ? describeFaults(validation) : WHAT_TO_DO[known] })
}

export function nothingThere(): JetonError {
  return new JetonError('not_found', { publicMessage: WHAT_TO_DO.not_found })
}

/** The caller went away, or took too long, in the middle of its body. */
export function bodyCutOff(): JetonError {
  return new JetonError('invalid_request', { publicMessage: 'the body did not arrive whole' })
}

/** Names the place and the rule, never the value. */
function describeFaults(faults: readonly Fault[]): string {
  const told = faults
    .slice(0, FAULTS_TOLD)
    .map(({ instancePath = '', message = 'is not valid', params = {} }) => {
      const key = 'additionalProperty' in params ? params.additionalProperty : undefined
      const named = typeof key === 'string' && PLAIN_NAME.test(key) ? ` (${key})` : ''
      return `body${instancePath.replaceAll('/', '.')} ${message}${named}`
    })
  return told.join('; ')
}

/** RFC 9112, 3.2 */
export function hostMissing({ headers, httpVersion }: IncomingMessage): JetonError | undefined {
  if (headers.host !== undefined || httpVersion !== '1.1') return undefined
  return new JetonError('invalid_request', { publicMessage: 'the request has no Host header' })
}
