import fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

/**
 * Creates the operator's app, which listens apart from callers (`server.admin` in docs/configuration.md) and has no
 * authentication: `GET /metrics` is in the text format of Prometheus, and any other path is 404.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function createAdminApp(registry: Registry): FastifyInstance {
  // closes at once: a scrape that is cut off is repeated soon
  const app = fastify({ logger: false, forceCloseConnections: true })
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  return app
}
