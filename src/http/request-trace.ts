import type { FastifyRequest } from 'fastify'
import { traceIdOf } from '../lib/traceparent.ts'
import type { RequestSpan, Traces } from '../telemetry/traces.ts'
import type { App } from './types.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The span of the request, if the process traces. */
    span: RequestSpan | undefined
  }
}

/** Returns the id of the trace that a request belongs to: of its own span if there is one, else as its header says. */
export function requestTraceId({ span, headers }: FastifyRequest): string | undefined {
  return span ? span.traceId : traceIdOf(headers.traceparent)
}

/** Gives each request a span, from its headers to the end of its reply. Without `traces` there are none. */
export function traceRequests(app: App, traces: Traces | undefined): void {
  // declared for every request, since objects that grow later are slow
  app.decorateRequest('span', undefined)
  if (!traces) return
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers } = request
    request.span = traces.beginRequest({ method, headers })
    request.span.run(done)
  })
  // what has read the body runs in a context of its own
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.span) request.span.run(done)
    else done()
  })
  const end = (request: FastifyRequest, status: number) => {
    request.span?.end({ status, route: request.routeOptions.url })
  }
  app.addHook('onResponse', (request, reply, done) => {
    end(request, reply.statusCode)
    done()
  })
  // 499, as proxies log a client that has left
  app.addHook('onRequestAbort', (request, done) => {
    end(request, 499)
    done()
  })
}
