import { randomUUID } from 'node:crypto'
import awsLambdaFastify from '@fastify/aws-lambda'
import type { Context } from 'aws-lambda'
import { asJetonError, JetonError } from '../errors.ts'
import { nothingThere } from '../http/fastify-errors.ts'
import { stackOnly } from '../http/stack-only.ts'
import type { Service } from '../service.ts'
import type { Log } from '../telemetry/log.ts'
import {
  type HttpEvent,
  hasMultiValueHeaders,
  isHttpEvent,
  isRoutable,
  type PlainEvent,
  plainEvent,
} from './event.ts'
import type { ExecutionEnvironment } from './execution-environment.ts'
import { type HttpReply, problemReply, withMultiValueHeaders } from './reply.ts'

/** What Lambda calls: with fewer than three parameters, for a third would be a callback. */
export type Handler = (event: HttpEvent, context: Context) => Promise<HttpReply>

type Proxy = (event: PlainEvent, context: Context) => Promise<HttpReply>

export interface HandlerParts {
  sandbox: ExecutionEnvironment
  log: Log
}

/**
 * Gives the function that answers an event, with a reply for whoever sent it. Resolves only when all is done that the request
 * has begun: a sandbox freezes when it has replied. Rejects where the event is no HTTP request, and then alone.
 */
export function createHandler({ sandbox, log }: HandlerParts): Handler {
  const proxies = new WeakMap<Service, Proxy>()

  function proxyOf(service: Service): Proxy {
    const known = proxies.get(service)
    const proxy: Proxy = known ?? awsLambdaFastify(service.app, { decorateRequest: false })
    if (!known) proxies.set(service, proxy)
    return proxy
  }

  async function answer(event: PlainEvent, context: Context): Promise<HttpReply> {
    if (!isRoutable(event)) throw nothingThere()
    const service = await sandbox.service()
    try {
      return await proxyOf(service)(event, context)
    } finally {
      await service.drain()
    }
  }

  function failed(cause: unknown, requestId: string): HttpReply {
    if (!(cause instanceof JetonError))
      log.error({ event: 'request_failed', requestId, ...stackOnly(cause) }, 'a request failed')
    return problemReply(asJetonError(cause), requestId)
  }

  async function replyTo(event: HttpEvent, context: Context): Promise<HttpReply> {
    let requestId: string | undefined
    try {
      const plain = plainEvent(event)
      requestId = plain.requestContext.requestId
      return await answer(plain, context)
    } catch (cause) {
      return failed(cause, requestId ?? randomUUID())
    }
  }

  return async (event, context) => {
    if (!isHttpEvent(event))
      throw new TypeError(
        'this is no event of an HTTP API (payload 2.0), a function URL or an Application Load Balancer',
      )
    const reply = await replyTo(event, context)
    return hasMultiValueHeaders(event) ? withMultiValueHeaders(reply) : reply
  }
}
