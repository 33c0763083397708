import fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

/** `GET /metrics` for Prometheus, apart from callers: on a listener of its own. */
export function createAdmin(registry: Registry): FastifyInstance {
  const admin = fastify({ logger: false, forceCloseConnections: true })
  admin.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  return admin
}
