import alb from './alb.json' with { type: 'json' }
import albMultiValue from './alb-multi-value.json' with { type: 'json' }
import apiGateway from './api-gateway-v2.json' with { type: 'json' }
import functionUrl from './function-url.json' with { type: 'json' }

/** One request, to be put into a recorded event in the place of the one that was recorded. */
export interface Asking {
  /** Default POST. */
  method?: string
  /** Default `/v1/tokens`. */
  path?: string
  /** Laid over those recorded; names in lower case. */
  headers?: Record<string, string>
  body?: string
  /** As some clients' and all binary bodies come. */
  isBase64Encoded?: boolean
}

export type ToEvent = (asking: Asking) => object

export const apiGatewayEvent: ToEvent = asking => ofPayload2(apiGateway, asking)
export const functionUrlEvent: ToEvent = asking => ofPayload2(functionUrl, asking)
export const albEvent: ToEvent = asking => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = asking
  return { ...alb, httpMethod: method, path, headers: { ...alb.headers, ...headers }, ...bodyOf(asking) }
}
export const albMultiValueEvent: ToEvent = asking => {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = asking
  const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
  const multiValueHeaders = { ...albMultiValue.multiValueHeaders, ...lists }
  return { ...albMultiValue, httpMethod: method, path, multiValueHeaders, ...bodyOf(asking) }
}

/** By their names. */
export const EVENTS: readonly (readonly [string, ToEvent])[] = [
  ['API Gateway', apiGatewayEvent],
  ['a function URL', functionUrlEvent],
  ['a load balancer', albEvent],
  ['a load balancer with multi-value headers', albMultiValueEvent],
]

function ofPayload2(recorded: typeof apiGateway | typeof functionUrl, asking: Asking): object {
  const { method = 'POST', path = '/v1/tokens', headers = {} } = asking
  const { requestContext } = recorded
  return {
    ...recorded,
    rawPath: path,
    headers: { ...recorded.headers, ...headers },
    requestContext: { ...requestContext, http: { ...requestContext.http, method, path } },
    ...bodyOf(asking),
  }
}

function bodyOf({ body, isBase64Encoded = false }: Asking): object {
  if (body === undefined) return { body: null, isBase64Encoded }
  return { body: isBase64Encoded ? Buffer.from(body).toString('base64') : body, isBase64Encoded }
}
