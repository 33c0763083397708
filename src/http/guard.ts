import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import type { Rules } from '../config/rules.ts'
import type { Standing } from '../config/standing.ts'
import { JetonError } from '../errors.ts'
import type { BeginTrail, Trail } from '../trail.ts'
import { identify } from '../vend.ts'
import type { App } from './types.ts'

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
  rules: () => Rules
  beginTrail: BeginTrail
}

/**
 * How failures to authenticate are counted: by address, IPv6 ones by their /64, which one host has all of. Of the sources,
 * so many are remembered; beyond them, those not heard of longest are forgotten. A connection that was reset has no
 * address any more.
 */
export const FAILURE_LIMIT = {
  global: false,
  max: 100,
  timeWindow: '1 minute',
  cache: 20_000,
  keyGenerator: ({ ip }: { ip?: string }) => normalizeIP(ip ?? 'reset'),
}

/**
 * Makes the `onRequest` hook that lets only verified callers on, before any body is read. Failures are counted by
 * source, but only failures are refused for them: CI jobs share addresses, and one of them must not shut out the rest.
 */
export function createGuard(app: App, { rules, beginTrail }: GuardParts) {
  // without options of its own, for with any the library forgets `cache`
  const countFailure = app.createRateLimit()

  async function refusalOf(cause: unknown, request: FastifyRequest): Promise<unknown> {
    if (!(cause instanceof JetonError) || cause.code !== 'unauthenticated') return cause
    const counted = await countFailure(request)
    if (counted.isAllowed || !counted.isExceeded) return cause
    return new JetonError('rate_limited', {
      publicMessage:
        'too many failures to authenticate from this address; a credential that verifies is still accepted',
      ...(cause.reason === undefined ? {} : { reason: cause.reason }),
      retryAfterMs: counted.ttl,
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
      throw await refusalOf(cause, request)
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
