import type { Clock } from '../../clock.ts'
import type { CaBundles } from '../../databases/ca.ts'
import type { Vend } from '../../vend.ts'
import { callerOf, type createGuard } from '../guard.ts'
import { problems, TokenReply, TokenRequest } from '../schemas.ts'
import { createTokenReply } from '../token-reply.ts'
import type { App } from '../types.ts'
import { validate } from '../validator.ts'

export interface TokensParts {
  vend: Vend
  caBundles: CaBundles
  clock: Clock
  guard: ReturnType<typeof createGuard>
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
      const { standing, trail } = callerOf(request)
      const { database, user, caPem = false, refused } = request.body
      const vended = await vend({ standing, trail, ask: { database, user }, refused })
      onAnswered?.({ seconds: reply.elapsedTime / 1000 })
      reply.header('cache-control', 'no-store').type(JSON_TYPE)
      // text, and so sent as it is: the schema describes it, a test holds it to that
      return reply.send(render(vended, { auditId: trail.id, caPem }) as never)
    },
  )
}
