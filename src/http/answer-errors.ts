import type { FastifyRequest } from 'fastify'
import type { JetonError } from '../errors.ts'
import { type Log, logRequestFailure } from '../telemetry/log.ts'
import type { AdmittedFailure } from '../vending/request-audit.ts'
import { incompleteBodyError, requestError } from './fastify-errors.ts'
import { type ProblemMembers, sendProblem } from './problem.ts'
import { requestTraceId } from './request-trace.ts'
import type { App } from './types.ts'

/**
 * Answers whatever a request fails with as a problem, records it if authentication had begun, and logs bugs. The reply goes
 * first, so that the time it takes says nothing of what the operator is told; which record it names is decided before that.
 */
export function answerErrors(app: App, log: Log): void {
  app.setErrorHandler((cause, request, reply) => {
    const error = jetonErrorOf(cause, request)
    const failure = request.audit?.admitFailure(error)
    sendProblem(reply, error, error.code === 'access_denied' ? callerMembers(failure) : {})
    failure?.write()
    if (error.code === 'internal_error')
      logRequestFailure(log, { requestId: request.id, traceId: requestTraceId(request), cause })
  })
}

/** Returns what a caller without a grant needs to ask for one: who it was taken for, and which record says why. */
function callerMembers({ principal, recordId: auditId }: Partial<AdmittedFailure> = {}): ProblemMembers {
  if (!principal) return {}
  const { issuer, subject } = principal
  return { principal: { issuer, subject }, ...(auditId !== undefined && { auditId }) }
}

function jetonErrorOf(cause: unknown, { raw }: FastifyRequest): JetonError {
  const isBodyCutOff = cause instanceof Error && cause === raw.errored
  return isBodyCutOff ? incompleteBodyError() : requestError(cause)
}
