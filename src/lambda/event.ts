import { METHODS } from 'node:http'
import type { ALBEvent, APIGatewayProxyEventV2, LambdaFunctionURLEvent } from 'aws-lambda'
import { JetonError } from '../errors.ts'
import { findRepeatedHeader } from '../http/repeated-headers.ts'
import { parseIpAddress } from '../lib/ip-address.ts'
import { isJsonObject } from '../lib/json.ts'
import { groupBy } from '../lib/maps.ts'

/** An event of API Gateway's HTTP API (payload 2.0), of a function URL, or of an Application Load Balancer. */
export type HttpEvent = APIGatewayProxyEventV2 | LambdaFunctionURLEvent | ALBEvent

/** A request in one format, whichever service sent the event: the members that `@fastify/aws-lambda` reads. */
export interface NormalizedEvent {
  readonly path: string
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string | undefined
  readonly isBase64Encoded: boolean
  /** From AWS, never from the caller. */
  readonly requestContext: {
    readonly requestId: string | undefined
    readonly http: { readonly method: string; readonly sourceIp: string }
  }
}

/** The header that passes the request's id on to the app; one that the caller sent is dropped. */
export const REQUEST_ID_HEADER = 'x-request-id'
/** Not the address of any host (RFC 6890): for events of a load balancer that do not name a source. */
const NO_ADDRESS = '0.0.0.0'

/**
 * Returns whether an event is an HTTP request that can be answered. Events of schedules, queues and the console are not, nor
 * are API Gateway's of payload 1.0. Does not check the members of the request: `normalizeEvent` does.
 */
export function isHttpEvent(event: unknown): event is HttpEvent {
  if (!isJsonObject(event) || !isJsonObject(event.requestContext)) return false
  const { elb, http } = event.requestContext
  return isJsonObject(elb) || isJsonObject(http)
}

/** Returns whether the load balancer uses `multiValueHeaders` instead of `headers`, in events and replies. */
export function hasMultiValueHeaders(event: HttpEvent): boolean {
  return 'multiValueHeaders' in event && isJsonObject(event.multiValueHeaders)
}

/**
 * Returns an event as a normalized one. A load balancer names the source in the last entry of `X-Forwarded-For`; callers can
 * write all others, so they are ignored, and so is the whole header if AWS names the source itself. Query strings are dropped:
 * no route has one. Whoever may invoke the function can make up an event: throws `invalid_request` if the path, the body or a
 * header is not text, or if a header comes twice that must be one.
 */
export function normalizeEvent(event: HttpEvent): NormalizedEvent {
  const headers = headersOf(event)
  const isAlb = isAlbEvent(event)
  const requestId = isAlb ? traceIdOf(headers['x-amzn-trace-id']) : textOf(event.requestContext.requestId)
  const source = isAlb ? lastEntry(headers['x-forwarded-for']) : textOf(event.requestContext.http.sourceIp)
  const sourceIp = parseIpAddress(source) ?? NO_ADDRESS
  const method = isAlb ? event.httpMethod : event.requestContext.http.method
  const path = pathOf(event)
  const body: unknown = event.body ?? undefined
  if (path === undefined || !(body === undefined || typeof body === 'string'))
    throw malformed('the event has no path, or its body is not text')
  const isBase64Encoded = event.isBase64Encoded === true
  if (body !== undefined)
    headers['content-length'] = String(Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8'))
  return {
    // the adapter would read a backslash as a slash, and what follows as a host
    path: path.replaceAll('\\', '%5C'),
    // explicitly undefined, because the adapter would otherwise add a User-Agent of its own
    headers: { 'user-agent': undefined, ...headers },
    body,
    isBase64Encoded,
    requestContext: { requestId, http: { method, sourceIp } },
  }
}

/**
 * Returns whether a route can exist for this method and path. The adapter reads paths as parts of a URL: it would turn one
 * with dot segments, a query or a fragment into another path, and remove spaces and control characters.
 * https://url.spec.whatwg.org/#path-state
 */
export function isRoutable({ path, requestContext }: NormalizedEvent): boolean {
  return (
    METHODS.includes(requestContext.http.method) &&
    path.startsWith('/') &&
    !/[\p{Cc} ?#]/u.test(path) &&
    !/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)
  )
}

function isAlbEvent(event: HttpEvent): event is ALBEvent {
  return 'elb' in event.requestContext
}

/** Returns headers by lower-case names, with the values of one name joined (RFC 9110, 5.3), without connection headers. */
function headersOf(event: HttpEvent): Record<string, string> {
  const fields = headerFieldsOf(event)
  const repeated = findRepeatedHeader(fields.flat())
  if (repeated !== undefined) throw malformed(`the request has more than one ${repeated} header`)
  const headers: Record<string, string> = {}
  for (const [name, values] of groupBy(fields, ([name]) => name.toLowerCase()))
    headers[name] = values.map(([, value]) => value).join(', ')
  delete headers[REQUEST_ID_HEADER]
  delete headers['transfer-encoding']
  return headers
}

/** Returns the names and values of an event's headers, one by one. Throws if a value is not text. */
function headerFieldsOf(event: HttpEvent): [name: string, value: string][] {
  const lists: Readonly<Record<string, unknown>> =
    ('multiValueHeaders' in event && event.multiValueHeaders) || event.headers || {}
  return Object.entries(lists).flatMap(([name, list]) =>
    [list].flat().map((value): [string, string] => {
      if (typeof value !== 'string') throw malformed('a header of the event is not text')
      return [name, value]
    }),
  )
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function malformed(publicMessage: string): JetonError {
  return new JetonError('invalid_request', { publicMessage })
}

/** Returns the path without the name of API Gateway's stage, which precedes it unless the stage is `$default`. */
function pathOf(event: HttpEvent): string | undefined {
  const path = textOf(isAlbEvent(event) ? event.path : event.rawPath)
  if (isAlbEvent(event)) return path
  const { stage } = event.requestContext
  return stage !== '$default' && path?.startsWith(`/${stage}/`) ? path.slice(`/${stage}`.length) : path
}

/**
 * Returns the id that the load balancer itself made: `Self=…` if the caller sent a `Root=…` of its own, else `Root=…`.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
 */
function traceIdOf(header = ''): string | undefined {
  const fields = new Map(header.split(';').map(field => [field.split('=', 1)[0]?.trim(), field]))
  const field = fields.get('Self') ?? fields.get('Root')
  return field && /=([\w-]{1,64})$/.exec(field)?.[1]
}

function lastEntry(list = ''): string {
  return list.slice(list.lastIndexOf(',') + 1)
}
