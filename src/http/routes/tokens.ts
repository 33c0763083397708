import type { Clock } from '../../lib/clock.ts'
import type { CaBundles } from '../../rds/ca-bundles.ts'
import type { VendToken } from '../../vending/vend-token.ts'
import { callerOf, type createAuthenticate } from '../authenticate.ts'
import { problems, TokenReply, TokenRequest } from '../schemas.ts'
import { createTokenReply } from '../token-reply.ts'
import type { App } from '../types.ts'
import { validate } from '../validator.ts'

export interface TokensParts {
  vend: VendToken
  caBundles: CaBundles
  clock: Clock
  guard: ReturnType<typeof createAuthenticate>
  onAnswered?: ((answer: { seconds: number }) => void) | undefined
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** `POST /v1/tokens`: a token, new or shared, to whom a grant allows it. */
export function tokensRoute(app: App, { vend, caBundles, clock, guard, onAnswered }: TokensParts): void {
  const schema = {
    summary: 'A token for a database user',
    security: [{ jwt: [] }, { apiKey: [] }],
    body: TokenRequest,
    response: { 200: TokenReply, ...problems(400, 401, 403, 413, 415, 429, 500, 502, 503) },
  }
  const render = createTokenReply({ caBundles, clock })
  app.post(
    '/v1/tokens',
    { schema, validatorCompiler: () => validate, onRequest: guard },
    async (request, reply) => {
      const { access, audit } = callerOf(request)
      const { database, user, caPem = false, refused: rejectedFingerprint } = request.body
      const vended = await vend({ access, audit, request: { database, user }, rejectedFingerprint })
      onAnswered?.({ seconds: reply.elapsedTime / 1000 })
      reply.header('cache-control', 'no-store').type(JSON_TYPE)
      // text, and so sent as it is: the schema describes it, a test holds it to that
      return reply.send(render(vended, { auditId: audit.id, caPem }) as never)
    },
  )
}
