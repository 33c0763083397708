import type {
  ALBEvent,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  LambdaFunctionURLEvent,
} from 'aws-lambda'
import { JetonError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'

/** The services that send requests as events, by the format of their events; a function URL has that of an HTTP API. */
export type EventKind = 'http-api' | 'rest-api' | 'load-balancer' | 'lattice-1' | 'lattice-2'

/** An event that is an HTTP request. Whoever may invoke the function can make one up: no member is checked. */
export interface HttpEvent {
  readonly kind: EventKind
  readonly event: JsonObject
  /** Empty if the event has none. */
  readonly context: JsonObject
}

/** What Lambda may call the function with, among others. VPC Lattice has no types. */
export type SentEvent =
  | APIGatewayProxyEvent
  | APIGatewayProxyEventV2
  | LambdaFunctionURLEvent
  | ALBEvent
  | JsonObject

/** What only events of one kind have. */
const MARKS: Readonly<Record<EventKind, (event: JsonObject, context: JsonObject) => boolean>> = {
  // payload 2.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
  'http-api': (_event, { http }) => isJsonObject(http),
  // payload 1.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
  'rest-api': ({ httpMethod }, { identity }) => httpMethod !== undefined && isJsonObject(identity),
  // https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
  'load-balancer': (_event, { elb }) => isJsonObject(elb),
  // https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
  'lattice-1': ({ raw_path, method }) => raw_path !== undefined && method !== undefined,
  'lattice-2': ({ method }, { serviceArn }) => method !== undefined && serviceArn !== undefined,
}

/**
 * Returns the HTTP request that an event is, or undefined if it is none, such as one of a schedule or a queue. Throws
 * `invalid_request` if it has what only events of two services have: they differ in who names the caller's address.
 */
export function recognizeEvent(event: unknown): HttpEvent | undefined {
  if (!isJsonObject(event)) return undefined
  const context = isJsonObject(event.requestContext) ? event.requestContext : {}
  const kinds = Object.keys(MARKS) as EventKind[]
  const [kind, another] = kinds.filter(each => MARKS[each](event, context))
  if (another !== undefined) throw malformedEvent('the event has members of two services')
  return kind && { kind, event, context }
}

/** Returns whether the service wants `multiValueHeaders` in the reply: a load balancer that sends them. */
export function wantsMultiValueHeaders({ kind, event }: HttpEvent): boolean {
  return kind === 'load-balancer' && isJsonObject(event.multiValueHeaders)
}

/** Returns the error for an event that no service sends. */
export function malformedEvent(publicMessage: string): JetonError {
  return new JetonError('invalid_request', { publicMessage })
}
