import { type AuthenticationHook, callerOf } from '../authenticate.ts'
import { WhoamiReplySchema } from '../schemas.ts'
import type { App } from '../types.ts'

/** Adds `GET /v1/whoami`: whom a credential stands for, as records show it, and what it may have tokens for. */
export function addWhoamiRoute(app: App, { authenticate }: { authenticate: AuthenticationHook }): void {
  const schema = {
    operationId: 'whoAmI',
    tags: ['tokens'],
    summary: 'Whom jeton takes the sender of the credential for',
    description:
      'Tells whom the credential stands for, with those of its claims that grants of its issuer name, and the databases and users that grants allow it. The request is recorded.',
    security: [{ jwt: [] }, { apiKey: [] }],
    response: { 200: WhoamiReplySchema },
  }
  app.get('/v1/whoami', { schema, onRequest: authenticate }, async (request, reply) => {
    const { access, audit } = callerOf(request)
    reply.header('cache-control', 'no-store')
    const { issuer, subject, claims } = access.auditedPrincipal
    const databases = access
      .entitlements()
      .map(({ database, users }) => ({ name: database, users: [...users] }))
    audit.recordListing()
    return { principal: { issuer, subject, claims }, databases }
  })
}
