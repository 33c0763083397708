import type { FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Rules } from '../config/rules.ts'
import type { Standing } from '../config/standing.ts'
import { JetonError } from '../errors.ts'
import type { BeginTrail, Trail } from '../trail.ts'
import { identify } from '../vend.ts'
import { createFailures } from './failures.ts'

/** A request whose credential verified. */
export interface Caller {
  readonly rules: Rules
  readonly trail: Trail
  readonly standing: Standing
}

declare module 'fastify' {
  interface FastifyRequest {
    /** From the first line of a guarded request on. */
    trail: Trail | undefined
    caller: Caller | undefined
  }
}

export interface GuardParts {
  clock: Clock
  rules: () => Rules
  beginTrail: BeginTrail
}

/**
 * Makes the `onRequest` hook that lets only verified callers on, before any body is read. Failures are counted by
 * source, but only failures are refused for them: CI jobs share addresses, and one of them must not shut out the rest.
 */
export function createGuard({ rules, beginTrail, clock }: GuardParts) {
  const failures = createFailures(clock)

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
    const trail = beginTrail({ requestId: request.id, sourceIp: request.ip, userAgent })
    const now = rules()
    request.trail = trail
    try {
      const standing = await identify({ rules: now, trail, authorization })
      request.caller = { rules: now, trail, standing }
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
