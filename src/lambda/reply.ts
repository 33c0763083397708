import type { JetonError } from '../errors.ts'
import { problemHeaders, problemOf } from '../http/problem.ts'
import { printableJson } from '../lib/printable.ts'

/** The function's result, in the format that API Gateway, function URLs, load balancers and VPC Lattice all read. */
export interface HttpReply {
  statusCode: number
  headers?: Record<string, string>
  multiValueHeaders?: Record<string, string[]>
  body: string
  isBase64Encoded?: boolean
}

/** Returns a problem as a reply, for requests that do not reach the app. */
export function problemReply(error: JetonError, requestId: string): HttpReply {
  return {
    statusCode: error.status,
    headers: { ...problemHeaders(error), 'x-request-id': requestId },
    body: printableJson(problemOf(error, requestId)),
    isBase64Encoded: false,
  }
}

/**
 * Returns the reply with each header as a list as well, which a load balancer with multi-value headers requires.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#multi-value-headers
 */
export function withMultiValueHeaders(reply: HttpReply): HttpReply {
  const multiValueHeaders: Record<string, string[]> = {}
  for (const [name, value] of Object.entries(reply.headers ?? {})) multiValueHeaders[name] = [value]
  return { ...reply, multiValueHeaders }
}
