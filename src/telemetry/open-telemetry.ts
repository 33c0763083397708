import {
  type AttributeValue,
  type Context,
  context,
  createContextKey,
  isSpanContextValid,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { RequestSpan, SpanFacts, Traces } from './traces.ts'

/** What providers have beside what the API says of them: SDKs flush, and the API stands in front of the one that was registered. */
interface Flushable {
  getDelegate?(): Flushable
  forceFlush?(): Promise<void>
}

const REQUEST_SPAN = createContextKey('jeton: the span of the request')

/**
 * Returns traces whose spans go to the OpenTelemetry that this process has loaded: its sampler, processors and exporters. Errors
 * are named by their codes, never by their messages. https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export function createOpenTelemetryTraces(version: string): Traces {
  const tracer = trace.getTracer('jeton', version)

  function finish(span: Span, error?: unknown): void {
    if (error !== undefined) {
      span.setAttribute('error.type', kindOf(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
    }
    span.end()
  }

  return {
    beginRequest({ method, headers }) {
      // what has begun a span for this request already, such as an instrumentation of Node's HTTP, goes before its headers
      const parent = trace.getSpan(context.active())
        ? context.active()
        : propagation.extract(context.active(), headers)
      const attributes = { 'http.request.method': method }
      return requestSpan(tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent), parent)
    },
    inSpan: (name, work) =>
      tracer.startActiveSpan(name, async span => {
        try {
          const result = await work()
          finish(span)
          return result
        } catch (error) {
          finish(span, error ?? null)
          throw error
        }
      }),
    begin(name) {
      const span = tracer.startSpan(name)
      return error => finish(span, error)
    },
    addEnded(name, { durationMs, facts }) {
      const endTime = Date.now()
      tracer
        .startSpan(name, { startTime: endTime - durationMs, attributes: attributesOf(facts) })
        .end(endTime)
    },
    factsOfRequest() {
      const span = context.active().getValue(REQUEST_SPAN) as Span | undefined
      return facts => {
        if (span?.isRecording()) span.setAttributes(attributesOf(facts))
      }
    },
    async flush() {
      const provider = trace.getTracerProvider() as Flushable
      const registered = provider.getDelegate?.() ?? provider
      try {
        await registered.forceFlush?.()
      } catch {
        // the SDK has said so
      }
    },
    currentTraceId: () => traceIdOf(trace.getSpan(context.active())),
  }
}

function requestSpan(span: Span, parent: Context): RequestSpan {
  const inRequest = trace.setSpan(parent, span).setValue(REQUEST_SPAN, span)
  return {
    traceId: traceIdOf(span),
    run: work => context.with(inRequest, work),
    end({ status, route }) {
      if (!span.isRecording()) return
      if (route !== undefined) span.setAttribute('http.route', route)
      span.setAttribute('http.response.status_code', status)
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}

/** Without a provider, spans are in a trace of zeros. */
function traceIdOf(span: Span | undefined): string | undefined {
  const spanContext = span?.spanContext()
  return spanContext && isSpanContextValid(spanContext) ? spanContext.traceId : undefined
}

function attributesOf(facts: SpanFacts): Record<string, AttributeValue> {
  const given = Object.entries(facts).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return Object.fromEntries(given)
}

/** Messages may quote secrets. */
function kindOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : typeof error
}
