import { METHODS } from 'node:http'
import { parseIpAddress } from '../lib/ip-address.ts'
import { isJsonObject } from '../lib/json.ts'
import { type EventHeaders, readHeaders } from './event-headers.ts'
import { type EventKind, type HttpEvent, malformedEvent } from './event-kind.ts'

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
  /** The name of API Gateway's stage, which may stand in front of the path; undefined if it has none. */
  readonly stage: string | undefined
}

/** Not the address of any host (RFC 6890): for events of a load balancer that do not name a source. */
const NO_ADDRESS = '0.0.0.0'

/** Members of an event by what they say; whoever made it up may have put anything there. */
interface EventParts {
  readonly method: unknown
  readonly path: unknown
  readonly source: unknown
  readonly requestId?: unknown
  readonly stage?: unknown
  readonly isBase64Encoded?: unknown
}

/**
 * Where each kind has what. API Gateway names the source itself. Load balancers and VPC Lattice have it in the last entry of
 * `X-Forwarded-For`: callers can write all others.
 */
const READERS: Readonly<Record<EventKind, (event: HttpEvent, headers: EventHeaders) => EventParts>> = {
  'http-api': ({ event, context }) => {
    const { method, sourceIp: source } = isJsonObject(context.http) ? context.http : {}
    const { requestId, stage } = context
    return { method, path: event.rawPath, source, requestId, stage, isBase64Encoded: event.isBase64Encoded }
  },
  'rest-api': ({ event, context }) => {
    const { sourceIp: source } = isJsonObject(context.identity) ? context.identity : {}
    const { httpMethod: method, path, isBase64Encoded } = event
    return { method, path, source, requestId: context.requestId, stage: context.stage, isBase64Encoded }
  },
  'load-balancer': ({ event: { httpMethod: method, path, isBase64Encoded } }, headers) => ({
    method,
    path,
    source: lastEntry(headers['x-forwarded-for']),
    requestId: traceIdOf(headers['x-amzn-trace-id']),
    isBase64Encoded,
  }),
  'lattice-1': ({ event: { method, raw_path, is_base64_encoded: isBase64Encoded } }, headers) => ({
    method,
    path: withoutQuery(raw_path),
    source: lastEntry(headers['x-forwarded-for']),
    isBase64Encoded,
  }),
  'lattice-2': ({ event: { method, path, isBase64Encoded } }, headers) => ({
    method,
    path: withoutQuery(path),
    source: lastEntry(headers['x-forwarded-for']),
    isBase64Encoded,
  }),
}

/**
 * Returns an event as a normalized one. Query strings are dropped: no route has one. Whoever may invoke the function can make
 * up an event: throws `invalid_request` if the method, the path, the body or a header is not text, or if a header comes twice
 * that must be one.
 */
export function normalizeEvent(sent: HttpEvent): NormalizedEvent {
  const headers = readHeaders(sent)
  const parts = READERS[sent.kind](sent, headers)
  const { method, path } = parts
  const body = sent.event.body ?? undefined
  if (typeof method !== 'string' || typeof path !== 'string')
    throw malformedEvent('the event has no method or no path')
  if (!(body === undefined || typeof body === 'string')) throw malformedEvent('the body is not text')
  const isBase64Encoded = parts.isBase64Encoded === true
  const stage = textOf(parts.stage)
  if (body !== undefined)
    headers['content-length'] = String(Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8'))
  return {
    // the adapter would read a backslash as a slash, and what follows as a host
    path: path.replaceAll('\\', '%5C'),
    // explicitly undefined, because the adapter would otherwise add a User-Agent of its own
    headers: { 'user-agent': undefined, ...headers },
    body,
    isBase64Encoded,
    requestContext: {
      requestId: textOf(parts.requestId),
      http: { method, sourceIp: parseIpAddress(textOf(parts.source)) ?? NO_ADDRESS },
    },
    stage: stage === '$default' ? undefined : stage,
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

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** VPC Lattice leaves the query in the path. */
function withoutQuery(path: unknown): unknown {
  return typeof path === 'string' ? path.replace(/\?.*$/s, '') : path
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
