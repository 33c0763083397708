import type { CaBundles } from '../../rds/ca-bundles.ts'
import { callerOf, type createAuthenticate } from '../authenticate.ts'
import { caReply, endpointReply } from '../endpoint-reply.ts'
import { DatabasesReply, problems } from '../schemas.ts'
import type { App } from '../types.ts'

/** `GET /v1/databases`: what this principal may have tokens for, and nothing of the rest. */
export function databasesRoute(
  app: App,
  { caBundles, guard }: { caBundles: CaBundles; guard: ReturnType<typeof createAuthenticate> },
): void {
  const schema = {
    summary: 'The databases and users that this principal may have tokens for',
    security: [{ jwt: [] }, { apiKey: [] }],
    response: { 200: DatabasesReply, ...problems(401, 429, 503) },
  }
  app.get('/v1/databases', { schema, onRequest: guard }, async (request, reply) => {
    const { policy, access } = callerOf(request)
    reply.header('cache-control', 'no-store')
    const databases = access.entitlements().map(({ database: name, users }) => {
      const database = policy.database(name)
      return { ...endpointReply(database), users: [...users], ca: caReply(caBundles.forDatabase(database)) }
    })
    return { databases }
  })
}
