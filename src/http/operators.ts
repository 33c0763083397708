import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { Principal } from '../authentication/principal.ts'
import { unauthenticated } from '../authentication/unauthenticated.ts'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { createLogThrottle, type LogThrottle } from '../lib/log-throttle.ts'
import { getOrCreate } from '../lib/maps.ts'
import type { Log } from '../telemetry/log.ts'
import type { AccessPolicy } from '../vending/access-policy.ts'
import type { BeginAudit, RequestAudit } from '../vending/request-audit.ts'
import { createAuthFailureLimiter } from './auth-failure-limiter.ts'
import { limitFailure } from './authenticate.ts'
import { withoutBasic } from './basic-credential.ts'
import { authenticateChallenge } from './challenge.ts'
import { requestTraceId } from './request-trace.ts'
import { createSourceAddress } from './source-address.ts'

const HOUR_MS = 3_600_000
/** Of more principals than these, the line that one opened the console may come again sooner. */
const MAX_LOGGED = 1000
const ASKED =
  'the console is for operators: any user name, and as the password a JWT or an API key that operators in the configuration mean'

export interface OperatorHookParts {
  /** Whoever decides about a request asks again after each wait. */
  currentPolicy: () => AccessPolicy
  beginAudit: BeginAudit
  clock: Clock
  log: Log
  /** Whether a credential is asked for even if no operators were ever named: then nobody is let in. */
  isAlwaysAsked: boolean
}

/**
 * Creates the hook that lets operators alone through: those whom the current configuration means, at each request anew. It
 * rejects with `unauthenticated`, `access_denied`, `rate_limited` or `temporarily_unavailable`, and each refusal has a record as
 * those of callers have. Who came in is logged once an hour. Does not check that the connection is encrypted.
 */
export function createOperatorHook({
  currentPolicy,
  beginAudit,
  clock,
  log,
  isAlwaysAsked,
}: OperatorHookParts) {
  const failureLimiter = createAuthFailureLimiter(clock)
  const sourceAddressOf = createSourceAddress()
  // to take away the last operator must not open it to everybody
  let isAsked = isAlwaysAsked
  const throttles = new LRUCache<string, LogThrottle>({ max: MAX_LOGGED })

  return async function admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    isAsked ||= !currentPolicy().operators.isEmpty
    if (!isAsked) return
    const { authorization, 'user-agent': userAgent } = request.headers
    const sourceIp = sourceAddressOf(request.raw)
    const traceId = requestTraceId(request)
    const audit = beginAudit({ requestId: request.id, traceId, sourceIp, userAgent })
    try {
      logOpened(await operatorBy(authorization, audit), sourceIp)
    } catch (cause) {
      // without a credential nothing was tried: browsers ask first
      const isTried = cause instanceof JetonError && authorization !== undefined
      const error = isTried ? limitFailure(cause, { failureLimiter, sourceIp }) : cause
      const failure = audit.admitFailure(error)
      // after the answer: how long it takes to say why tells the caller nothing, unless it has gone
      if (reply.raw.destroyed) failure.write()
      else reply.raw.once('close', failure.write)
      if (failure.error.status === 401) reply.header('www-authenticate', challenge(request.headers))
      throw failure.error
    }
  }

  async function operatorBy(authorization: string | undefined, audit: RequestAudit): Promise<Operator> {
    if (authorization === undefined) throw unauthenticated(ASKED, 'the console: no credential')
    const credential = withoutBasic(authorization)
    for (;;) {
      const policy = currentPolicy()
      const principal = await policy.authenticator.authenticate(credential)
      if (policy !== currentPolicy()) continue
      audit.identify(policy.accessOf(principal))
      const now = clock.now()
      const name = policy.operators.find(principal, now)
      if (name !== undefined) return { name, principal }
      throw new JetonError('access_denied', {
        publicMessage:
          'the console is for operators, and none of those in the configuration is you; browsers ask for another credential in a private window',
        reason: () => `the console: ${policy.operators.reason(principal, now)}`,
      })
    }
  }

  function logOpened({ name, principal: { issuer, subject } }: Operator, sourceIp: string | undefined): void {
    const throttle = getOrCreate<string, LogThrottle>(throttles, {
      key: JSON.stringify([name, issuer, subject]),
      create: () => createLogThrottle(HOUR_MS),
    })
    if (throttle.admit(clock.now()))
      log.info(
        { event: 'console_opened', operator: name, issuer, subject, sourceIp },
        'an operator has the console open; said once an hour of each principal',
      )
  }
}

/** A script of a page that polls must not have the browser ask, again and again: the page says that it is to be loaded. */
function challenge({ authorization, 'sec-fetch-dest': destination }: IncomingHttpHeaders): string {
  const forPrograms = authenticateChallenge(authorization)
  return destination === 'empty' ? forPrograms : `Basic realm="jeton", ${forPrograms}`
}

interface Operator {
  /** As the configuration calls it. */
  readonly name: string
  readonly principal: Principal
}
