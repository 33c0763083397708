import { randomUUID } from 'node:crypto'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify from 'fastify'
import type { Registry } from 'prom-client'
import { isLoopback } from '../lib/loopback.ts'
import { NO_METRICS } from '../telemetry/metrics.ts'
import { answerErrors } from './answer-errors.ts'
import { requestError } from './fastify-errors.ts'
import { createListener, type ListenerOptions, type ListenerParts } from './listener.ts'
import { sendProblem } from './problem.ts'
import { refuseMalformed, rejectMalformed, rejectUnroutable } from './request-head.ts'
import type { App } from './types.ts'

/** Scrapers and operators are few. */
const MAX_CONNECTIONS = 50
/** Beyond loopback, of these: so no address keeps all others out. On loopback all have one address. */
const MAX_PER_ADDRESS = 25

export interface AdminOptions extends ListenerOptions {
  /** Where it listens; default: on loopback. */
  host?: string | undefined
}

/**
 * Creates the operator's app, which listens apart from callers (`server.admin` in docs/configuration.md) and has no
 * authentication: `GET /metrics` is in the text format of Prometheus, and any other path is 404. It has the problems and the
 * time limits of callers' connections, and there are 50 at most, beyond loopback 25 from one address; they are not counted in metrics.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function createAdminApp(
  registry: Registry,
  parts: Omit<ListenerParts, 'metrics'>,
  { host = 'localhost', ...options }: AdminOptions = {},
): App {
  const connections = {
    max: MAX_CONNECTIONS,
    maxPerAddress: isLoopback(host) ? undefined : MAX_PER_ADDRESS,
  }
  const app = fastify({
    logger: false,
    genReqId: () => randomUUID(),
    // at once: a scrape that is cut off is repeated soon
    forceCloseConnections: true,
    ...createListener({ connections, ...options }, { ...parts, metrics: NO_METRICS }),
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
