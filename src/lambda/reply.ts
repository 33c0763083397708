import type { JetonError } from '../errors.ts'
import { problemHeaders, problemOf } from '../http/problem.ts'

/** What Lambda gives back, to any of those who call it. */
export interface HttpReply {
  statusCode: number
  headers?: Record<string, string>
  multiValueHeaders?: Record<string, string[]>
  body: string
  isBase64Encoded?: boolean
}

/** A problem for where there is no app to answer with one. */
export function problemReply(error: JetonError, requestId: string): HttpReply {
  return {
    statusCode: error.status,
    headers: { ...problemHeaders(error), 'x-request-id': requestId },
    body: JSON.stringify(problemOf(error, requestId)),
    isBase64Encoded: false,
  }
}

/**
 * The same reply with each header as a list too, as a load balancer with multi-value headers wants it.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#multi-value-headers
 */
export function withMultiValueHeaders(reply: HttpReply): HttpReply {
  const multiValueHeaders: Record<string, string[]> = {}
  for (const [name, value] of Object.entries(reply.headers ?? {})) multiValueHeaders[name] = [value]
  return { ...reply, multiValueHeaders }
}
