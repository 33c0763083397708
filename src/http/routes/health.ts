import * as Type from 'typebox'
import type { Health } from '../../telemetry/health.ts'
import { problemResponses } from '../schemas.ts'
import type { App } from '../types.ts'

/**
 * Adds `GET /healthz` (alive) and `GET /readyz` (with the dependencies that fail). Both answer 200 even while dependencies
 * fail: the instance still vends cached tokens, and taking it out of a load balancer would help nobody.
 */
export function addHealthRoutes(app: App, { health }: { health: Health }): void {
  const alive = {
    summary: 'Alive',
    response: { 200: Type.Object({ status: Type.Literal('ok') }), ...problemResponses(400, 405, 431) },
  }
  app.get('/healthz', { schema: alive }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return { status: 'ok' as const }
  })

  const ready = {
    summary: 'Ready, and what is degraded',
    response: {
      200: Type.Object({
        status: Type.Enum(['ready', 'degraded']),
        degraded: Type.Array(Type.Enum(['sts', 'store', 'keys', 'log'])),
      }),
      ...problemResponses(400, 405, 431),
    },
  }
  app.get('/readyz', { schema: ready }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const degraded = [...health.degraded()]
    return { status: degraded.length === 0 ? ('ready' as const) : ('degraded' as const), degraded }
  })
}
