import { METHODS } from 'node:http'
import { isIP } from 'node:net'
import type { ALBEvent, APIGatewayProxyEventV2, LambdaFunctionURLEvent } from 'aws-lambda'
import { JetonError } from '../errors.ts'

/** What Lambda is called with: by API Gateway's HTTP API (payload 2.0), by a function URL, by an Application Load Balancer. */
export type HttpEvent = APIGatewayProxyEventV2 | LambdaFunctionURLEvent | ALBEvent

/** One request, whichever way it came; of the form that `@fastify/aws-lambda` reads. */
export interface PlainEvent {
  readonly path: string
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string | undefined
  readonly isBase64Encoded: boolean
  /** As AWS says them, and not the caller. */
  readonly requestContext: {
    readonly requestId: string | undefined
    readonly http: { readonly method: string; readonly sourceIp: string }
  }
}

/** The header in which the request's id goes on to the app; a caller's own is thrown away. */
export const REQUEST_ID_HEADER = 'x-request-id'
/** Nobody's address (RFC 6890), for where a load balancer says none. */
const NO_ADDRESS = '0.0.0.0'

/** Whether it is a request at all; not so what schedules, queues and consoles send, nor API Gateway's payload 1.0. */
export function isHttpEvent(event: unknown): event is HttpEvent {
  if (typeof event !== 'object' || event === null || !('requestContext' in event)) return false
  const context = event.requestContext
  return typeof context === 'object' && context !== null && ('elb' in context || 'http' in context)
}

/** Whether the load balancer sends, and so takes, headers by `multiValueHeaders` alone. */
export function hasMultiValueHeaders(event: HttpEvent): boolean {
  return 'multiValueHeaders' in event && event.multiValueHeaders !== undefined
}

/**
 * Takes from an event what is the request and what AWS says of it. Of `X-Forwarded-For`, callers can write all but the last
 * entry, which is the load balancer's: nothing else of it is looked at, and nothing at all where AWS names the source
 * itself. Query strings are left out: no route has one. Throws `invalid_request` where path or body are no text.
 */
export function plainEvent(event: HttpEvent): PlainEvent {
  const headers = headersOf(event)
  const isOfBalancer = isBalancers(event)
  const requestId = isOfBalancer ? traceIdOf(headers['x-amzn-trace-id']) : event.requestContext.requestId
  const sourceIp = isOfBalancer ? lastOf(headers['x-forwarded-for']) : event.requestContext.http.sourceIp
  const method = isOfBalancer ? event.httpMethod : event.requestContext.http.method
  const path: unknown = pathOf(event)
  const body: unknown = event.body ?? undefined
  if (typeof path !== 'string' || !(body === undefined || typeof body === 'string'))
    throw new JetonError('invalid_request', {
      publicMessage: 'the event has no path, or a body that is no text',
    })
  const isBase64Encoded = event.isBase64Encoded === true
  if (body !== undefined)
    headers['content-length'] = String(Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8'))
  return {
    // as a backslash it would stand for a slash, and what follows for a host
    path: path.replaceAll('\\', '%5C'),
    // undefined leaves it out, where without it the adapter would say one of its own
    headers: { 'user-agent': undefined, ...headers },
    body,
    isBase64Encoded,
    requestContext: { requestId, http: { method, sourceIp } },
  }
}

/**
 * Whether there can be something at that path, for that method. What reads paths as parts of a URL would make another path
 * of one with dot segments, a query or a fragment, and take spaces and control characters away.
 * https://url.spec.whatwg.org/#path-state
 */
export function isRoutable({ path, requestContext }: PlainEvent): boolean {
  return (
    METHODS.includes(requestContext.http.method) &&
    path.startsWith('/') &&
    !/[\p{Cc} ?#]/u.test(path) &&
    !/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)
  )
}

function isBalancers(event: HttpEvent): event is ALBEvent {
  return 'elb' in event.requestContext
}

/** Names in lower case, values of one name in one line (RFC 9110, 5.3); without those that are about the connection. */
function headersOf(event: HttpEvent): Record<string, string> {
  const lists: Readonly<Record<string, readonly (string | undefined)[] | undefined>> =
    'multiValueHeaders' in event && event.multiValueHeaders
      ? event.multiValueHeaders
      : Object.fromEntries(Object.entries(event.headers ?? {}).map(([name, value]) => [name, [value]]))
  const headers: Record<string, string> = {}
  for (const [name, values = []] of Object.entries(lists)) headers[name.toLowerCase()] = values.join(', ')
  delete headers[REQUEST_ID_HEADER]
  delete headers['transfer-encoding']
  return headers
}

/** A stage of API Gateway that has a name stands before the path. */
function pathOf(event: HttpEvent): string {
  if (isBalancers(event)) return event.path
  const { rawPath, requestContext } = event
  const { stage } = requestContext
  return stage !== '$default' && rawPath?.startsWith(`/${stage}/`) ? rawPath.slice(stage.length + 1) : rawPath
}

/**
 * `Root=…`, or `Self=…` where the caller brought a root of its own: what the load balancer itself has made.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
 */
function traceIdOf(header = ''): string | undefined {
  const fields = new Map(header.split(';').map(field => [field.split('=', 1)[0]?.trim(), field]))
  const field = fields.get('Self') ?? fields.get('Root')
  return field && /=([\w-]{1,64})$/.exec(field)?.[1]
}

/** With the attribute `routing.http.xff_client_port.enabled` it has a port. */
function lastOf(forwardedFor = ''): string {
  const last = forwardedFor.split(',').at(-1)?.trim() ?? ''
  const address = isIP(last) ? last : last.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return isIP(address) ? address : NO_ADDRESS
}
