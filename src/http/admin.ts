import fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { NO_METRICS } from '../telemetry/metrics.ts'
import { createListener, type ListenerOptions, type ListenerParts } from './listener.ts'

/** Scrapers are few, and every one of them is the operator's. */
const LIMITS = { max: 50 }

/**
 * Creates the operator's app, which listens apart from callers (`server.admin` in docs/configuration.md) and has no
 * authentication: `GET /metrics` is in the text format of Prometheus, and any other path is 404. Its connections have the
 * time limits of callers', and there are 50 at most; they are not counted in metrics.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function createAdminApp(
  registry: Registry,
  parts: Omit<ListenerParts, 'metrics'>,
  options: ListenerOptions = {},
): FastifyInstance {
  const listener = createListener({ connections: LIMITS, ...options }, { ...parts, metrics: NO_METRICS })
  // closes at once: a scrape that is cut off is repeated soon
  const app = fastify({ logger: false, forceCloseConnections: true, ...listener })
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  return app
}
