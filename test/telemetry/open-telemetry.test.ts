import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { createOpenTelemetryTraces } from '../../src/telemetry/open-telemetry.ts'
import { hasOpenTelemetry } from '../../src/telemetry/traces.ts'
import { exchange, openRaw, parseReplies } from '../http/raw-socket.ts'
import { requestToken } from '../http/support.ts'
import { startApi } from '../support/service/app.ts'

const exporter = new InMemorySpanExporter()
const traces = createOpenTelemetryTraces('1.2.3')

beforeAll(() => new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register())
afterAll(() => {
  for (const api of [trace, context, propagation]) api.disable()
})
beforeEach(() => exporter.reset())

const traceOf = (digit: number) => String(digit).repeat(32)
const parentOf = (digit: number) => `00-${traceOf(digit)}-${String(digit).repeat(16)}-01`
const requestSpans = () =>
  exporter
    .getFinishedSpans()
    .filter(({ kind }) => kind === SpanKind.SERVER)
    .map(span => ({
      name: span.name,
      traceId: span.spanContext().traceId,
      parent: span.parentSpanContext?.spanId,
      route: span.attributes['http.route'],
      status: span.attributes['http.response.status_code'],
      code: span.attributes['jeton.code'],
      isError: span.status.code === SpanStatusCode.ERROR,
    }))
const ended = (count: number) => expect.poll(() => requestSpans().length).toBe(count)

test('requests of one connection, sent at once, are each in the trace of its own header', async () => {
  const api = await startApi({ traces })
  const authorization = await api.bearer()
  const body = '{"database":"none"}'
  const post = (traceparent: string) =>
    [
      'POST /v1/tokens HTTP/1.1',
      ...['host: x', 'content-type: application/json', `authorization: ${authorization}`],
      ...[`traceparent: ${traceparent}`, `content-length: ${body.length}`, '', body],
    ].join('\r\n')
  const raw = openRaw(api.port)
  raw.send([1, 2, 3].map(digit => post(parentOf(digit))).join('') + post('none'))
  await ended(4)
  raw.socket.end()
  expect(parseReplies(await raw.closed).map(({ status }) => status)).toEqual([403, 403, 403, 403])
  const spans = requestSpans()
  expect(spans.map(({ traceId, parent, code }) => [traceId, parent, code])).toEqual([
    ...[1, 2, 3].map(digit => [traceOf(digit), String(digit).repeat(16), 'access_denied']),
    [expect.not.stringMatching(/^0|(.)\1{31}/), undefined, 'access_denied'],
  ])
  expect(api.records.map(({ traceId }) => traceId)).toEqual(spans.map(({ traceId }) => traceId))
})

test('each request has one span, however it ends, and nothing of what its caller made up', async () => {
  const api = await startApi({ traces })
  const authorization = await api.bearer()
  const json = { authorization, 'content-type': 'application/json' }
  const post = (body: string) => fetch(`${api.url}/v1/tokens`, { method: 'POST', headers: json, body })
  await fetch(`${api.url}/made-up?secret=made-up`)
  await fetch(`${api.url}/v1/tokens`, { method: 'PUT' })
  await fetch(`${api.url}/healthz`, { method: 'HEAD' })
  await post('{"database":"made-up')
  await post(JSON.stringify({ database: 'made-up'.repeat(5000) }))
  await exchange(api.port, 'GET /healthz HTTP/1.1\r\nhost: made up\r\n\r\n')
  await ended(6)
  const seen = requestSpans().map(({ name, route, status, code }) => [name, route, status, code])
  expect(seen).toEqual([
    ['GET', undefined, 404, undefined],
    ['PUT', undefined, 405, undefined],
    ['HEAD', '/healthz', 200, undefined],
    ['POST', '/v1/tokens', 400, 'invalid_request'],
    ['POST', '/v1/tokens', 413, 'payload_too_large'],
    ['GET', '/healthz', 400, undefined],
  ])
  expect(JSON.stringify(exporter.getFinishedSpans().map(({ attributes }) => attributes))).not.toContain(
    'made-up',
  )
})

test('the span of a client that leaves ends once, with 499', async () => {
  const held: (() => void)[] = []
  const gone = new JetonError('throttled', { publicMessage: 'no slot is near enough', retryAfterMs: 1000 })
  const api = await startApi({
    traces,
    vend: () => new Promise((_resolve, reject) => held.push(() => reject(gone))),
  })
  const raw = openRaw(api.port)
  const body = '{"database":"orders"}'
  const head = `host: x\r\ncontent-type: application/json\r\nauthorization: ${await api.bearer()}`
  raw.send(`POST /v1/tokens HTTP/1.1\r\n${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  await expect.poll(() => held.length).toBe(1)
  raw.socket.destroy()
  await ended(1)
  held[0]?.()
  await expect.poll(() => api.records.length).toBe(1)
  expect(requestSpans()).toMatchObject([{ status: 499, isError: false }])
})

test('a trace that is not sampled is in the record, and no span leaves', async () => {
  const api = await startApi({ traces })
  const headers = { traceparent: parentOf(4).replace(/01$/, '00') }
  await requestToken(api, { authorization: await api.bearer(), headers })
  expect(api.records).toMatchObject([{ traceId: traceOf(4) }])
  expect(exporter.getFinishedSpans()).toEqual([])
})

test('an OpenTelemetry without a provider of spans leaves the trace of the header', async () => {
  expect(hasOpenTelemetry(globalThis)).toBe(true)
  trace.disable()
  propagation.disable()
  expect(hasOpenTelemetry(globalThis)).toBe(false)
  const api = await startApi({ traces: createOpenTelemetryTraces('1.2.3') })
  const headers = { traceparent: parentOf(5) }
  const authorization = await api.bearer()
  await requestToken(api, { authorization, headers })
  await requestToken(api, { authorization })
  expect(api.records.map(({ traceId }) => traceId)).toEqual([traceOf(5), undefined])
})
