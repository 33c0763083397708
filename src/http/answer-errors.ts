import type { FastifyRequest } from 'fastify'
import type { JetonError } from '../errors.ts'
import { type Log, logRequestFailure } from '../telemetry/log.ts'
import { incompleteBodyError, requestError } from './fastify-errors.ts'
import { sendProblem } from './problem.ts'
import type { App } from './types.ts'

/**
 * Answers whatever a request fails with as a problem, records it if authentication had begun, and logs bugs. The reply goes
 * first, so that the time it takes says nothing of what the operator is told.
 */
export function answerErrors(app: App, log: Log): void {
  app.setErrorHandler((cause, request, reply) => {
    const error = jetonErrorOf(cause, request)
    sendProblem(reply, error)
    request.audit?.recordFailure(error)
    if (error.code === 'internal_error') logRequestFailure(log, { requestId: request.id, cause })
  })
}

function jetonErrorOf(cause: unknown, { raw }: FastifyRequest): JetonError {
  const isBodyCutOff = cause instanceof Error && cause === raw.errored
  return isBodyCutOff ? incompleteBodyError() : requestError(cause)
}
