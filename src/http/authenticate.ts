import type { FastifyRequest } from 'fastify'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { AccessPolicy } from '../vending/access-policy.ts'
import type { PrincipalAccess } from '../vending/principal-access.ts'
import type { BeginAudit, RequestAudit } from '../vending/request-audit.ts'
import { identify } from '../vending/vend-token.ts'
import { createAuthFailureLimiter } from './auth-failure-limiter.ts'

/** A request whose credential verified. */
export interface Caller {
  readonly policy: AccessPolicy
  readonly audit: RequestAudit
  readonly access: PrincipalAccess
}

declare module 'fastify' {
  interface FastifyRequest {
    /** From the first line of a guarded request on. */
    audit: RequestAudit | undefined
    caller: Caller | undefined
  }
}

export interface AuthenticateParts {
  clock: Clock
  policy: () => AccessPolicy
  beginAudit: BeginAudit
}

/**
 * Makes the `onRequest` hook that lets only verified callers on, before any body is read. Failures are counted by
 * source, but only failures are refused for them: CI jobs share addresses, and one of them must not shut out the rest.
 */
export function createAuthenticate({ policy, beginAudit, clock }: AuthenticateParts) {
  const failures = createAuthFailureLimiter(clock)

  function refusalOf(cause: unknown, { ip }: FastifyRequest): unknown {
    if (!(cause instanceof JetonError) || cause.code !== 'unauthenticated') return cause
    const restMs = failures.count(ip)
    if (restMs === undefined) return cause
    return new JetonError('rate_limited', {
      publicMessage:
        'too many failures to authenticate from this address; a credential that verifies is still accepted',
      ...(cause.reason === undefined ? {} : { reason: cause.reason }),
      retryAfterMs: restMs,
    })
  }

  return async function guard(request: FastifyRequest): Promise<void> {
    const { authorization, 'user-agent': userAgent } = request.headers
    const audit = beginAudit({ requestId: request.id, sourceIp: request.ip, userAgent })
    const now = policy()
    request.audit = audit
    try {
      const access = await identify({ policy: now, audit, authorization })
      request.caller = { policy: now, audit, access }
    } catch (cause) {
      throw refusalOf(cause, request)
    }
    // Fastify waits for ever for a body whose end was missed while the credential was checked
    const { complete, errored } = request.raw
    if (errored && !complete) throw errored
  }
}

/** The caller of a guarded request. Throws, as a bug, on a route that has no guard. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (!caller) throw new Error('this route has no guard')
  return caller
}
