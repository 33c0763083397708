import { randomUUID } from 'node:crypto'
import awsLambdaFastify from '@fastify/aws-lambda'
import type { Context } from 'aws-lambda'
import { asJetonError, JetonError } from '../errors.ts'
import { notFoundError } from '../http/fastify-errors.ts'
import type { App } from '../http/types.ts'
import { type Log, logRequestFailure } from '../telemetry/log.ts'
import { ownPath } from './base-path.ts'
import { isRoutable, type NormalizedEvent, normalizeEvent } from './event.ts'
import { type HttpEvent, recognizeEvent, type SentEvent, wantsMultiValueHeaders } from './event-kind.ts'
import type { ExecutionEnvironment } from './execution-environment.ts'
import { type HttpReply, problemReply, withMultiValueHeaders } from './reply.ts'
import { unrecognizedEvent } from './unrecognized-event.ts'
import { isWarmUp, warmUpReply } from './warm-up.ts'

/** The function that Lambda calls. It has two parameters, because Lambda takes a third for a callback. */
export type Handler = (event: SentEvent, context: Context) => Promise<HttpReply>

type Adapter = (event: NormalizedEvent, context: Context) => Promise<HttpReply>

export interface HandlerParts {
  executionEnvironment: ExecutionEnvironment
  /** What may stand before the paths of events, from `parseBasePath`. */
  basePath: string
  log: Log
}

/**
 * Creates the function that answers events. It resolves only when everything that the request began is done, or after 2 s:
 * Lambda freezes the process once it has replied. Failures become problems, those of events that are no request too, so it
 * never rejects: Lambda would log that as a bug, and send an asynchronous event twice more.
 */
export function createHandler({ executionEnvironment, basePath, log }: HandlerParts): Handler {
  const adapters = new WeakMap<App, Adapter>()

  function adapterOf(app: App): Adapter {
    const known = adapters.get(app)
    const adapter: Adapter = known ?? awsLambdaFastify(app, { decorateRequest: false })
    if (!known) adapters.set(app, adapter)
    return adapter
  }

  async function answer(event: NormalizedEvent, context: Context): Promise<HttpReply> {
    if (!isRoutable(event)) throw notFoundError()
    const { app, drain } = await executionEnvironment.getService()
    const prefixes = [event.stage === undefined ? '' : `/${event.stage}`, basePath]
    const path = ownPath(event.path, { prefixes, isKnown: app.hasPath })
    try {
      return await adapterOf(app)({ ...event, path }, context)
    } finally {
      await drain()
    }
  }

  async function warmUp(): Promise<HttpReply> {
    const { drain } = await executionEnvironment.getService()
    await drain()
    return warmUpReply()
  }

  async function answerOrFail(event: HttpEvent, context: Context): Promise<HttpReply> {
    let requestId: string | undefined
    try {
      const normalized = normalizeEvent(event)
      requestId = normalized.requestContext.requestId
      return await answer(normalized, context)
    } catch (cause) {
      return replyToFailure(cause, requestId)
    }
  }

  function replyToFailure(cause: unknown, requestId: string = randomUUID()): HttpReply {
    if (!(cause instanceof JetonError)) logRequestFailure(log, { requestId, cause })
    return problemReply(asJetonError(cause), requestId)
  }

  return async (event, context) => {
    try {
      const request = recognizeEvent(event)
      if (request) {
        const reply = await answerOrFail(request, context)
        return wantsMultiValueHeaders(request) ? withMultiValueHeaders(reply) : reply
      }
      if (isWarmUp(event)) return await warmUp()
      throw unrecognizedEvent(event, log)
    } catch (cause) {
      return replyToFailure(cause)
    }
  }
}
