import type { FastifyRequest } from 'fastify'
import { traceIdOf } from '../lib/traceparent.ts'
import type { TraceContext } from '../telemetry/trace-context.ts'
import type { RequestSpan, Traces } from '../telemetry/traces.ts'
import type { App } from './types.ts'

/** As proxies log it. */
const CLIENT_LEFT = 499

declare module 'fastify' {
  interface FastifyRequest {
    /** The span of the request, if the process traces. */
    span: RequestSpan | undefined
  }
}

/** Returns the id of the trace that a request belongs to: of its own span if there is one, else as its header says. */
export function requestTraceId({ span, headers }: FastifyRequest): string | undefined {
  return span?.traceId ?? traceIdOf(headers.traceparent)
}

/** Does work of a request, so that what it logs names the request's trace. */
export type InTrace = <Result>(request: FastifyRequest, work: () => Promise<Result>) => Promise<Result>

/** Returns what does work in the trace of its request; without a context it just does it. */
export function createInTrace(traceContext: TraceContext | undefined): InTrace {
  return (request, work) => (traceContext ? traceContext.run(requestTraceId(request), work) : work())
}

/** Gives each request a span, from its headers to the end of its reply. Without `traces` there are none. */
export function traceRequests(app: App, traces: Traces | undefined): void {
  // declared for every request, since objects that grow later are slow
  app.decorateRequest('span', undefined)
  if (!traces) return
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers } = request
    const span = traces.beginRequest({ method, headers })
    request.span = span
    // emitted once: when all of the reply is with the kernel, or when the client has left
    reply.raw.on('close', () => {
      const status = reply.raw.writableFinished ? reply.statusCode : CLIENT_LEFT
      span.end({ status, route: request.routeOptions.url })
    })
    span.run(done)
  })
  // what has read the body runs in a context of its own
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.span) request.span.run(done)
    else done()
  })
}
