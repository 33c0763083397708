import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify from 'fastify'
import type { Registry } from 'prom-client'
import { NO_METRICS } from '../telemetry/metrics.ts'
import { answerErrors } from './answer-errors.ts'
import { requestError } from './fastify-errors.ts'
import { createListener, type ListenerOptions, type ListenerParts } from './listener.ts'
import { sendProblem } from './problem.ts'
import { refuseMalformed, rejectMalformed, rejectUnroutable } from './request-head.ts'
import type { App } from './types.ts'

/** Scrapers are few, and every one of them is the operator's. */
const LIMITS = { max: 50 }

/**
 * Creates the operator's app, which listens apart from callers (`server.admin` in docs/configuration.md) and has no
 * authentication: `GET /metrics` is in the text format of Prometheus, and any other path is 404. It has the problems and the
 * time limits of callers' connections, and there are 50 at most; they are not counted in metrics.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function createAdminApp(
  registry: Registry,
  parts: Omit<ListenerParts, 'metrics'>,
  options: ListenerOptions = {},
): App {
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    // at once: a scrape that is cut off is repeated soon
    forceCloseConnections: true,
    ...createListener({ connections: LIMITS, ...options }, { ...parts, metrics: NO_METRICS }),
    frameworkErrors(cause, _request, reply) {
      sendProblem(reply, refuseMalformed(reply) ?? requestError(cause))
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  rejectMalformed(app)
  rejectUnroutable(app)
  answerErrors(app, parts.log)
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  return app
}
