import { randomUUID } from 'node:crypto'
import awsLambdaFastify from '@fastify/aws-lambda'
import type { Context } from 'aws-lambda'
import { asJetonError, JetonError } from '../errors.ts'
import { notFoundError } from '../http/fastify-errors.ts'
import type { App } from '../http/types.ts'
import { type Log, logRequestFailure } from '../telemetry/log.ts'
import {
  type HttpEvent,
  hasMultiValueHeaders,
  isHttpEvent,
  isRoutable,
  type NormalizedEvent,
  normalizeEvent,
} from './event.ts'
import type { ExecutionEnvironment } from './execution-environment.ts'
import { type HttpReply, problemReply, withMultiValueHeaders } from './reply.ts'

/** The function that Lambda calls. It has two parameters, because Lambda takes a third for a callback. */
export type Handler = (event: HttpEvent, context: Context) => Promise<HttpReply>

type Proxy = (event: NormalizedEvent, context: Context) => Promise<HttpReply>

export interface HandlerParts {
  executionEnvironment: ExecutionEnvironment
  log: Log
}

/**
 * Creates the function that answers events. It resolves only when everything that the request began is done, or after 2 s:
 * Lambda freezes the process once it has replied. Failures become problems; it rejects only if the event is not an HTTP request.
 */
export function createHandler({ executionEnvironment, log }: HandlerParts): Handler {
  const proxies = new WeakMap<App, Proxy>()

  function proxyOf(app: App): Proxy {
    const known = proxies.get(app)
    const proxy: Proxy = known ?? awsLambdaFastify(app, { decorateRequest: false })
    if (!known) proxies.set(app, proxy)
    return proxy
  }

  async function answer(event: NormalizedEvent, context: Context): Promise<HttpReply> {
    if (!isRoutable(event)) throw notFoundError()
    const service = await executionEnvironment.getService()
    try {
      return await proxyOf(service.app)(event, context)
    } finally {
      await service.drain()
    }
  }

  async function answerOrFail(event: HttpEvent, context: Context): Promise<HttpReply> {
    let requestId: string | undefined
    try {
      const normalized = normalizeEvent(event)
      requestId = normalized.requestContext.requestId
      return await answer(normalized, context)
    } catch (cause) {
      return replyToFailure(cause, requestId ?? randomUUID())
    }
  }

  function replyToFailure(cause: unknown, requestId: string): HttpReply {
    if (!(cause instanceof JetonError)) logRequestFailure(log, { requestId, cause })
    return problemReply(asJetonError(cause), requestId)
  }

  return async (event, context) => {
    if (!isHttpEvent(event))
      throw new TypeError(
        'the event is not an HTTP request: call this function through an HTTP API (payload 2.0), a function URL or an Application Load Balancer',
      )
    const reply = await answerOrFail(event, context)
    return hasMultiValueHeaders(event) ? withMultiValueHeaders(reply) : reply
  }
}
