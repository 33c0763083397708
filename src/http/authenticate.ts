import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../authentication/principal.ts'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { AccessPolicy } from '../vending/access-policy.ts'
import type { PrincipalAccess } from '../vending/principal-access.ts'
import type { BeginAudit, RequestAudit } from '../vending/request-audit.ts'
import type { AccessRenewal } from '../vending/vend-token.ts'
import { type AuthFailureLimiter, createAuthFailureLimiter } from './auth-failure-limiter.ts'
import { type InTrace, requestTraceId } from './request-trace.ts'
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
    /** When its headers had come, by `timer`; 0 until authentication begins. */
    arrivedAt: number
  }
}

export interface AuthenticationParts {
  clock: Clock
  timer: Pick<Clock, 'now'>
  currentPolicy: () => AccessPolicy
  beginAudit: BeginAudit
  sourceAddressOf: SourceAddress
  inTrace: InTrace
}

interface ShownCredential {
  audit: RequestAudit
  authorization: string | undefined
  sourceIp: string | undefined
}

/** An `onRequest` hook that sets `request.audit` and `request.caller`. Calls `done` unless it returns a promise. */
export type AuthenticationHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
) => Promise<void> | undefined

/**
 * Creates the hook that lets only verified callers through, before the body is parsed; at once those whose credential has
 * verified before, and those that are refused without a signature to verify. It fails with `unauthenticated`, `rate_limited`, or
 * `temporarily_unavailable` if the keys to verify a JWT with are not available.
 */
export function createAuthenticationHook(
  app: App,
  { currentPolicy, beginAudit, clock, timer, sourceAddressOf, inTrace }: AuthenticationParts,
): AuthenticationHook {
  // declared for every request, since objects that grow later are slow
  app.decorateRequest('audit', undefined)
  app.decorateRequest('caller', undefined)
  app.decorateRequest('arrivedAt', 0)
  const failureLimiter = createAuthFailureLimiter(clock)

  return function authenticate(request, _reply, done) {
    request.arrivedAt = timer.now()
    const { authorization, 'user-agent': userAgent } = request.headers
    const sourceIp = sourceAddressOf(request.raw)
    const audit = beginAudit({ requestId: request.id, traceId: requestTraceId(request), sourceIp, userAgent })
    request.audit = audit
    const shown = { audit, authorization, sourceIp }
    const recalled = recallCaller(shown)
    if (!recalled) return inTrace(request, () => verify(request, shown))
    if (recalled instanceof Error) done(recalled)
    else {
      request.caller = recalled
      done(bodyFailure(request))
    }
    return undefined
  }

  async function verify(request: FastifyRequest, shown: ShownCredential): Promise<void> {
    request.caller = await verifyCaller(shown)
    const failure = bodyFailure(request)
    if (failure) throw failure
  }

  function callerBy(
    policy: AccessPolicy,
    { principal, shown }: { principal: Principal; shown: ShownCredential },
  ): Caller {
    const { audit } = shown
    const access = policy.accessOf(principal)
    audit.identify(access)
    return {
      policy,
      access,
      audit,
      renewal: { isDue: () => policy !== currentPolicy(), renew: () => verifyCaller(shown) },
    }
  }

  /** Returns the caller or the refusal if that is known at once. */
  function recallCaller(shown: ShownCredential): Caller | JetonError | undefined {
    const { authorization, sourceIp } = shown
    const policy = currentPolicy()
    const recalled = policy.authenticator.recall(authorization)
    if (recalled instanceof JetonError) return limitFailure(recalled, { failureLimiter, sourceIp })
    return recalled && callerBy(policy, { principal: recalled, shown })
  }

  async function verifyCaller(shown: ShownCredential): Promise<Caller> {
    const { authorization, sourceIp } = shown
    for (;;) {
      const policy = currentPolicy()
      try {
        const principal = await policy.authenticator.authenticate(authorization)
        const caller = callerBy(policy, { principal, shown })
        if (!caller.renewal.isDue()) return caller
      } catch (cause) {
        throw cause instanceof JetonError ? limitFailure(cause, { failureLimiter, sourceIp }) : cause
      }
    }
  }
}

/** Returns what the body failed with while the credential was checked: Fastify would wait for it forever. */
function bodyFailure({ raw }: FastifyRequest): Error | undefined {
  const { complete, errored } = raw
  return complete ? undefined : (errored ?? undefined)
}

/**
 * Returns `cause`, or `rate_limited` if its source has failed too often. Only failures are limited: CI jobs share addresses,
 * and one that fails must not shut out the others.
 */
export function limitFailure(
  cause: JetonError,
  { failureLimiter, sourceIp }: { failureLimiter: AuthFailureLimiter; sourceIp: string | undefined },
): JetonError {
  if (cause.code !== 'unauthenticated') return cause
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
