import type { Clock } from '../../lib/clock.ts'
import type { CaBundles } from '../../rds/ca-bundles.ts'
import type { VendToken } from '../../vending/vend-token.ts'
import { type AuthenticationHook, callerOf } from '../authenticate.ts'
import { acceptBody } from '../json-body.ts'
import { TokenReplySchema, TokenRequestSchema } from '../schemas.ts'
import { createTokenReplyRenderer } from '../token-reply.ts'
import type { App } from '../types.ts'
import { validate } from '../validator.ts'

export interface TokensRouteParts {
  authenticate: AuthenticationHook
  vend: VendToken
  caBundles: CaBundles
  clock: Clock
  onVended?: ((vend: { durationMs: number }) => void) | undefined
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** Adds `POST /v1/tokens`: a token for a database user, new or from the cache, if a grant allows it. */
export function addTokensRoute(
  app: App,
  { authenticate, vend, caBundles, clock, onVended }: TokensRouteParts,
): void {
  const schema = {
    operationId: 'createToken',
    tags: ['tokens'],
    summary: 'A token for a database user',
    description:
      'Vends a token, new or from the cache: the password of the database user until `expiresAt`. Keep it until `refreshAfter`, then ask again. A reply with a token is sent only after its record is in the audit log.',
    security: [{ jwt: [] }, { apiKey: [] }],
    body: TokenRequestSchema,
    response: { 200: TokenReplySchema },
  }
  const renderReply = createTokenReplyRenderer({ caBundles, clock })
  app.post(
    '/v1/tokens',
    { schema, validatorCompiler: () => validate, onRequest: [authenticate, acceptBody] },
    async (request, reply) => {
      const caller = callerOf(request)
      // a reload may have come since the headers, while the body was on its way
      const { access, renewal } = caller.renewal.isDue() ? await caller.renewal.renew() : caller
      const { audit } = caller
      const { database, user, caPem = false, refused: rejectedFingerprint, minimumSeconds } = request.body
      const minimumMs = minimumSeconds === undefined ? undefined : minimumSeconds * 1000
      const vended = await vend({
        access,
        renewal,
        audit,
        request: { database, user },
        rejectedFingerprint,
        minimumMs,
      })
      onVended?.({ durationMs: reply.elapsedTime })
      reply.header('cache-control', 'no-store').type(JSON_TYPE)
      // Fastify sends text as it is; the type that it expects is the schema's, to which a test holds the text
      return reply.send(renderReply(vended, { auditId: audit.id, caPem }) as never)
    },
  )
}
