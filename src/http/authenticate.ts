import type { FastifyRequest } from 'fastify'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { AccessPolicy } from '../vending/access-policy.ts'
import type { PrincipalAccess } from '../vending/principal-access.ts'
import type { BeginAudit, RequestAudit } from '../vending/request-audit.ts'
import type { AccessRenewal } from '../vending/vend-token.ts'
import { type AuthFailureLimiter, createAuthFailureLimiter } from './auth-failure-limiter.ts'
import type { SourceAddress } from './source-address.ts'
import type { App } from './types.ts'

/** The sender of a request, whose credential has verified. */
export interface Caller {
  /** The policy that the credential verified under. */
  readonly policy: AccessPolicy
  /** What that policy lets it have. */
  readonly access: PrincipalAccess
  readonly audit: RequestAudit
  /** For whatever is decided later than the headers: a reload may have come since. */
  readonly renewal: AccessRenewal
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set when authentication begins: whatever fails from then on is recorded. */
    audit: RequestAudit | undefined
    /** Set when the credential has verified. */
    caller: Caller | undefined
  }
}

export interface AuthenticationParts {
  clock: Clock
  currentPolicy: () => AccessPolicy
  beginAudit: BeginAudit
  sourceAddressOf: SourceAddress
}

interface ShownCredential {
  audit: RequestAudit
  authorization: string | undefined
  sourceIp: string | undefined
}

/** An `onRequest` hook that sets `request.audit` and `request.caller`. */
export type AuthenticationHook = (request: FastifyRequest) => Promise<void>

/**
 * Creates the hook that lets only verified callers through, before the body is parsed. It throws `unauthenticated`,
 * `rate_limited`, or `temporarily_unavailable` if the keys to verify a JWT with are not available.
 */
export function createAuthenticationHook(
  app: App,
  { currentPolicy, beginAudit, clock, sourceAddressOf }: AuthenticationParts,
): AuthenticationHook {
  // declared for every request, since objects that grow later are slow
  app.decorateRequest('audit', undefined)
  app.decorateRequest('caller', undefined)
  const failureLimiter = createAuthFailureLimiter(clock)

  return async function authenticate(request) {
    const { authorization, 'user-agent': userAgent } = request.headers
    const sourceIp = sourceAddressOf(request.raw)
    const audit = beginAudit({ requestId: request.id, sourceIp, userAgent })
    request.audit = audit
    request.caller = await verifyCaller({ audit, authorization, sourceIp })
    // if the body failed while the credential was checked, Fastify would wait for it forever
    const { complete, errored } = request.raw
    if (errored && !complete) throw errored
  }

  async function verifyCaller(shown: ShownCredential): Promise<Caller> {
    const { audit, authorization, sourceIp } = shown
    for (;;) {
      const policy = currentPolicy()
      const isDue = () => policy !== currentPolicy()
      try {
        const access = policy.accessOf(await policy.authenticator.authenticate(authorization))
        audit.identify(access)
        if (!isDue()) return { policy, access, audit, renewal: { isDue, renew: () => verifyCaller(shown) } }
      } catch (cause) {
        throw limitFailure(cause, { failureLimiter, sourceIp })
      }
    }
  }
}

/**
 * Returns `cause`, or `rate_limited` if its source has failed too often. Only failures are limited: CI jobs share addresses,
 * and one that fails must not shut out the others.
 */
function limitFailure(
  cause: unknown,
  { failureLimiter, sourceIp }: { failureLimiter: AuthFailureLimiter; sourceIp: string | undefined },
): unknown {
  if (!(cause instanceof JetonError) || cause.code !== 'unauthenticated') return cause
  const retryAfterMs = failureLimiter.count(sourceIp)
  if (retryAfterMs === undefined) return cause
  return new JetonError('rate_limited', {
    publicMessage:
      'too many failures to authenticate from this address; a credential that verifies is still accepted',
    ...(cause.reason !== undefined && { reason: cause.reason }),
    retryAfterMs,
  })
}

/** Returns the caller of a request to a route with the authentication hook; throws without it, which is a bug. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (!caller) throw new Error('this route has no authentication hook')
  return caller
}
