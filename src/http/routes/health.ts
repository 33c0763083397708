import type { Health } from '../../telemetry/health.ts'
import { AliveReplySchema, ReadyReplySchema } from '../schemas.ts'
import type { App } from '../types.ts'

/**
 * Adds `GET /healthz` (alive) and `GET /readyz` (with the dependencies that fail). Both answer 200 even while dependencies
 * fail: the instance still vends cached tokens, and taking it out of a load balancer would help nobody.
 */
export function addHealthRoutes(app: App, { health, isDev }: { health: Health; isDev: boolean }): void {
  const alive = {
    operationId: 'getHealth',
    tags: ['health'],
    summary: 'Alive',
    description: 'For liveness checks. It looks at nothing that jeton depends on.',
    response: { 200: AliveReplySchema },
  }
  app.get('/healthz', { schema: alive }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return { status: 'ok' as const }
  })

  const ready = {
    operationId: 'getReadiness',
    tags: ['health'],
    summary: 'Ready, and what is degraded',
    description: 'Answers 200 even if something does not answer, because cached tokens are still vended.',
    response: { 200: ReadyReplySchema },
  }
  app.get('/readyz', { schema: ready }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const degraded = [...health.degraded()]
    const status = degraded.length === 0 ? ('ready' as const) : ('degraded' as const)
    return { status, degraded, ...(isDev && { dev: true as const }) }
  })
}
