import type { FastifyRequest } from 'fastify'
import { traceIdOf } from '../lib/traceparent.ts'

/** Returns the id of the trace that a request belongs to, as its header says. */
export function requestTraceId({ headers }: FastifyRequest): string | undefined {
  return traceIdOf(headers.traceparent)
}
