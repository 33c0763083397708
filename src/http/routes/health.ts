import * as Type from 'typebox'
import type { Health } from '../../telemetry/health.ts'
import type { App } from '../types.ts'

/**
 * `GET /healthz`: alive. `GET /readyz`: 200 while the configuration is valid, for then cached tokens can be served, with
 * what is degraded: taking the instance out of a load balancer would help nobody.
 */
export function healthRoutes(app: App, { health }: { health: Health }): void {
  const alive = { summary: 'Alive', response: { 200: Type.Object({ status: Type.Literal('ok') }) } }
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
    },
  }
  app.get('/readyz', { schema: ready }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const degraded = [...health.degraded()]
    return { status: degraded.length === 0 ? ('ready' as const) : ('degraded' as const), degraded }
  })
}
