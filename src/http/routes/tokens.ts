import { asJetonError, JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { CaBundles } from '../../rds/ca-bundles.ts'
import type { RepeatVend } from '../../vending/repeat-vend.ts'
import type { Vended, VendRequest, VendToken } from '../../vending/vend-token.ts'
import { type AuthenticationHook, type Caller, callerOf } from '../authenticate.ts'
import { acceptBody } from '../json-body.ts'
import type { KnownBodies } from '../known-bodies.ts'
import type { InTrace } from '../request-trace.ts'
import { TokenReplySchema, type TokenRequest, TokenRequestSchema } from '../schemas.ts'
import { createTokenReplyRenderer } from '../token-reply.ts'
import type { App } from '../types.ts'
import { validate } from '../validator.ts'

export interface TokensRouteParts {
  authenticate: AuthenticationHook
  knownBodies: KnownBodies
  vend: VendToken
  /** Default: `vend` does all. */
  repeatVend?: RepeatVend | undefined
  caBundles: CaBundles
  clock: Clock
  timer: Pick<Clock, 'now'>
  inTrace: InTrace
  onVended?: ((vend: { durationMs: number }) => void) | undefined
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** Adds `POST /v1/tokens`: a token for a database user, new or from the cache, if a grant allows it. */
export function addTokensRoute(
  app: App,
  {
    authenticate,
    knownBodies,
    vend,
    repeatVend,
    caBundles,
    clock,
    timer,
    inTrace,
    onVended,
  }: TokensRouteParts,
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

  async function vendAnew(vendRequest: VendRequest): Promise<Vended> {
    const { renewal } = vendRequest
    // a reload may have come since the headers, while the body was on its way
    if (!renewal?.isDue()) return vend(vendRequest)
    const renewed = await renewal.renew()
    return vend({ ...vendRequest, access: renewed.access, renewal: renewed.renewal })
  }

  app.post(
    '/v1/tokens',
    {
      schema,
      validatorCompiler: () => knownBodies.validateOnce(validate),
      onRequest: [authenticate, acceptBody],
    },
    (request, reply) => {
      const caller = callerOf(request)
      const { caPem = false } = request.body

      function send(vended: Vended): void {
        // Fastify's own time is 0 unless it logs requests
        onVended?.({ durationMs: timer.now() - request.arrivedAt })
        reply.header('cache-control', 'no-store').type(JSON_TYPE)
        // Fastify sends text as it is; the type that it expects is the schema's, to which a test holds the text
        reply.send(renderReply(vended, { auditId: caller.audit.id, caPem }) as never)
      }

      const vendRequest = vendRequestOf(caller, request.body)
      const repeated = repeatVend?.(vendRequest, (error, vended) => {
        try {
          if (!vended) throw error
          send(vended)
        } catch (cause) {
          reply.send(errorOf(cause) as never)
        }
      })
      if (repeated instanceof JetonError) return void reply.send(repeated as never)
      return repeated ? undefined : inTrace(request, () => vendAnew(vendRequest)).then(send)
    },
  )
}

/** Fastify takes nothing else for a failure. */
function errorOf(cause: unknown): Error {
  return cause instanceof Error ? cause : asJetonError(cause)
}

function vendRequestOf(
  { access, renewal, audit }: Caller,
  { database, user, refused, minimumSeconds }: TokenRequest,
): VendRequest {
  const minimumMs = minimumSeconds === undefined ? undefined : minimumSeconds * 1000
  return { access, renewal, audit, request: { database, user }, rejectedFingerprint: refused, minimumMs }
}
