import alb from './alb.json' with { type: 'json' }
import albMultiValue from './alb-multi-value.json' with { type: 'json' }
import apiGateway from './api-gateway-v2.json' with { type: 'json' }
import functionUrl from './function-url.json' with { type: 'json' }

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
export const albEvent: ToEvent = request => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = request
  return { ...alb, httpMethod: method, path, headers: { ...alb.headers, ...headers }, ...bodyOf(request) }
}
export const albMultiValueEvent: ToEvent = request => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = request
  const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
  const multiValueHeaders = { ...albMultiValue.multiValueHeaders, ...lists }
  return { ...albMultiValue, httpMethod: method, path, multiValueHeaders, ...bodyOf(request) }
}

/** All kinds of events, by name. */
export const EVENTS: readonly (readonly [string, ToEvent])[] = [
  ['API Gateway', apiGatewayEvent],
  ['a function URL', functionUrlEvent],
  ['a load balancer', albEvent],
  ['a load balancer with multi-value headers', albMultiValueEvent],
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

function bodyOf({ body, isBase64Encoded = false }: EventRequest): object {
  if (body === undefined) return { body: null, isBase64Encoded }
  return { body: isBase64Encoded ? Buffer.from(body).toString('base64') : body, isBase64Encoded }
}
