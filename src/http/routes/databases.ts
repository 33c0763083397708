import type { CaBundles } from '../../rds/ca-bundles.ts'
import { type AuthenticationHook, callerOf } from '../authenticate.ts'
import { DatabasesReplySchema } from '../schemas.ts'
import { caReply, endpointReply } from '../token-reply.ts'
import type { App } from '../types.ts'

/** Adds `GET /v1/databases`: the databases and users that grants allow this principal, and no others. */
export function addDatabasesRoute(
  app: App,
  { authenticate, caBundles }: { authenticate: AuthenticationHook; caBundles: CaBundles },
): void {
  const schema = {
    operationId: 'listDatabases',
    tags: ['tokens'],
    summary: 'The databases and users that this principal may have tokens for',
    description:
      'Lists what grants allow the sender of the credential, and nothing else. The request is recorded.',
    security: [{ jwt: [] }, { apiKey: [] }],
    response: { 200: DatabasesReplySchema },
  }
  app.get('/v1/databases', { schema, onRequest: authenticate }, async (request, reply) => {
    const { policy, access, audit } = callerOf(request)
    reply.header('cache-control', 'no-store')
    const databases = access.entitlements().map(({ database: name, users }) => {
      const database = policy.database(name)
      return { ...endpointReply(database), users: [...users], ca: caReply(caBundles.forDatabase(database)) }
    })
    audit.recordListing()
    return { databases }
  })
}
