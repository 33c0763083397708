import alb from './alb.json' with { type: 'json' }
import albMultiValue from './alb-multi-value.json' with { type: 'json' }
import apiGateway from './api-gateway-v2.json' with { type: 'json' }
import functionUrl from './function-url.json' with { type: 'json' }
import lattice1 from './lattice-1.json' with { type: 'json' }
import lattice2 from './lattice-2.json' with { type: 'json' }
import restApi from './rest-api.json' with { type: 'json' }

/** One request, which replaces the one in a recorded event. */
export interface EventRequest {
  /** POST unless given. */
  method?: string
  /** `/v1/tokens` unless given. */
  path?: string
  /** Added to the recorded ones; names in lower case. */
  headers?: Record<string, string>
  body?: string
  /** Encodes the body, as Lambda does for binary bodies. */
  isBase64Encoded?: boolean
}

export type ToEvent = (request: EventRequest) => object

export const apiGatewayEvent: ToEvent = request => ofPayload2(apiGateway, request)
export const functionUrlEvent: ToEvent = request => ofPayload2(functionUrl, request)
export const restApiEvent: ToEvent = request => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = request
  const { requestContext } = restApi
  return {
    ...restApi,
    httpMethod: method,
    path,
    headers: withHeaders(restApi.headers, headers),
    multiValueHeaders: withHeaders(restApi.multiValueHeaders, listsOf(headers)),
    requestContext: {
      ...requestContext,
      httpMethod: method,
      path: `/${requestContext.stage}${path}`,
    },
    ...bodyOf(request),
  }
}
export const albEvent: ToEvent = request => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = request
  return { ...alb, httpMethod: method, path, headers: { ...alb.headers, ...headers }, ...bodyOf(request) }
}
export const albMultiValueEvent: ToEvent = request => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = request
  const multiValueHeaders = { ...albMultiValue.multiValueHeaders, ...listsOf(headers) }
  return { ...albMultiValue, httpMethod: method, path, multiValueHeaders, ...bodyOf(request) }
}
export const lattice1Event: ToEvent = request => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = request
  const { body, isBase64Encoded } = bodyOf(request)
  return {
    ...lattice1,
    method,
    raw_path: path,
    headers: { ...lattice1.headers, ...headers },
    body,
    is_base64_encoded: isBase64Encoded,
  }
}
export const lattice2Event: ToEvent = request => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = request
  return {
    ...lattice2,
    method,
    path,
    headers: { ...lattice2.headers, ...listsOf(headers) },
    ...bodyOf(request),
  }
}

/** Returns the same event as one of API Gateway's stage with this name. */
export function eventBehind(name: string, event: object): object {
  const { requestContext } = event as { requestContext: object }
  return { ...event, requestContext: { ...requestContext, stage: name } }
}

/** All kinds of events, by name. */
export const EVENTS: readonly (readonly [string, ToEvent])[] = [
  ['API Gateway', apiGatewayEvent],
  ['a REST API', restApiEvent],
  ['a function URL', functionUrlEvent],
  ['a load balancer', albEvent],
  ['a load balancer with multi-value headers', albMultiValueEvent],
  ['VPC Lattice, version 1', lattice1Event],
  ['VPC Lattice, version 2', lattice2Event],
]

/** Events that only keep an execution environment warm, or try the function, by what sends them. */
export const WARM_UPS: readonly (readonly [string, object | null])[] = [
  ['the console', {}],
  ['nobody', null],
  [
    "a rule of EventBridge's",
    {
      version: '0',
      id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '123456789012',
      time: '2026-11-23T10:00:00Z',
      region: 'us-east-1',
      resources: ['arn:aws:events:us-east-1:123456789012:rule/keep-jeton'],
      detail: {},
    },
  ],
  [
    "EventBridge's Scheduler",
    {
      version: '0',
      id: 'd32c5kddcf5bb8c3',
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: '123456789012',
      time: '2026-11-23T10:00:00Z',
      region: 'us-east-1',
      resources: ['arn:aws:scheduler:us-east-1:123456789012:schedule/default/keep-jeton'],
      detail: '{}',
    },
  ],
  ['lambda-warmer', { warmer: true, concurrency: 3 }],
  ['serverless-plugin-warmup', { source: 'serverless-plugin-warmup' }],
  ['serverless-plugin-lambda-warmup', { source: 'serverless-plugin-lambda-warmup' }],
  ['a schedule with an input of its own', { ping: true }],
  ['another one', { action: 'ping' }],
  ['a third one', { action: 'WarmUp' }],
  ['a tool that has a type for it', { type: 'warmer', warmerId: 'w1', index: 0 }],
]

function ofPayload2(recorded: typeof apiGateway | typeof functionUrl, request: EventRequest): object {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = request
  const { requestContext } = recorded
  return {
    ...recorded,
    rawPath: path,
    headers: { ...recorded.headers, ...headers },
    requestContext: { ...requestContext, http: { ...requestContext.http, method, path } },
    ...bodyOf(request),
  }
}

function listsOf(headers: Record<string, string>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
}

/** A REST API keeps the letters of a name as the caller wrote them, so a recorded header may have the same name in others. */
function withHeaders(recorded: Record<string, unknown>, headers: Record<string, unknown>): object {
  const replaced = new Set(Object.keys(headers).map(name => name.toLowerCase()))
  const kept = Object.entries(recorded).filter(([name]) => !replaced.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...headers }
}

function bodyOf({ body, isBase64Encoded = false }: EventRequest) {
  if (body === undefined) return { body: null, isBase64Encoded }
  return { body: isBase64Encoded ? Buffer.from(body).toString('base64') : body, isBase64Encoded }
}
