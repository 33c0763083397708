import type { Context } from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import { type HttpEvent, REQUEST_ID_HEADER } from '../../src/lambda/event.ts'
import { createHandler } from '../../src/lambda/handler.ts'
import {
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  type EventRequest,
  functionUrlEvent,
  type ToEvent,
} from '../support/lambda/events/events.ts'
import { startTarget, type TargetOptions } from './target.ts'

/** What callers can put into the events that AWS passes on, and what only AWS writes. */
async function startFunction(options: TargetOptions = {}) {
  const target = await startTarget({ ...options, service: { http: { requestIdHeader: REQUEST_ID_HEADER } } })
  const { service, log } = target
  const handler = createHandler({ executionEnvironment: { getService: async () => service }, log })

  async function invoke(event: object) {
    const before = (await target.records()).length
    const reply = await handler(event as HttpEvent, {} as Context)
    const [record] = (await target.records()).slice(before)
    const body = reply.body.startsWith('{') ? JSON.parse(reply.body) : {}
    return { status: reply.statusCode, code: body.code, body, record }
  }

  const authorization = `ApiKey ${target.apiKey}`
  const request = (changed: EventRequest = {}): EventRequest => ({
    body: '{"database":"orders"}',
    ...changed,
    headers: { authorization, 'content-type': 'application/json', ...changed.headers },
  })
  return { ...target, invoke, request, authorization }
}

const vended = { status: 200, record: { decision: 'vended', grant: 'report' } }
const eachKind = test.each(EVENTS)

eachKind('%s: the request that those below differ from gets a token', async (_kind, toEvent) => {
  const { invoke, request } = await startFunction()
  expect(await invoke(toEvent(request()))).toMatchObject(vended)
})

describe('where a request comes from', () => {
  test.each<readonly [string, ToEvent]>([
    ['API Gateway', apiGatewayEvent],
    ['a function URL', functionUrlEvent],
  ])('%s names the source, whatever X-Forwarded-For says', async (_kind, toEvent) => {
    const { invoke, request } = await startFunction()
    const headers = { 'x-forwarded-for': '10.9.8.7', forwarded: 'for=10.9.8.7', 'x-real-ip': '10.9.8.7' }
    const { record } = await invoke(toEvent(request({ headers })))
    expect(record?.sourceIp).toBe('203.0.113.7')
  })

  test.each<readonly [string, ToEvent]>([
    ['a load balancer', albEvent],
    ['a load balancer with lists', albMultiValueEvent],
  ])('behind %s, only its own entry counts', async (_kind, toEvent) => {
    const { invoke, request } = await startFunction()
    const headers = { 'x-forwarded-for': '10.9.8.7, 192.0.2.66, 198.51.100.23' }
    const { record } = await invoke(toEvent(request({ headers })))
    expect(record?.sourceIp).toBe('198.51.100.23')
  })

  test.each([
    ['with a port', '10.9.8.7, 198.51.100.23:4711', '198.51.100.23'],
    ['IPv6 with a port', '10.9.8.7, [2001:db8:1::5]:4711', '2001:db8:1::5'],
    ['IPv4 within IPv6', '10.9.8.7, ::ffff:198.51.100.23', '198.51.100.23'],
  ])('behind a load balancer that is told to keep the port: %s', async (_name, forwarded, address) => {
    const { invoke, request } = await startFunction()
    const { record } = await invoke(albEvent(request({ headers: { 'x-forwarded-for': forwarded } })))
    expect(record?.sourceIp).toBe(address)
  })
})

describe('the id of a request', () => {
  eachKind('%s: a caller does not choose it', async (_kind, toEvent) => {
    const { invoke, request } = await startFunction()
    const { record } = await invoke(
      toEvent(request({ headers: { 'x-request-id': 'mine', 'X-Request-ID': 'mine' } })),
    )
    expect(record?.requestId).toEqual(expect.stringMatching(/./))
    expect(record?.requestId).not.toContain('mine')
  })

  test('of a load balancer is the part of the trace that it made itself', async () => {
    const { invoke, request } = await startFunction()
    const trace = 'Self=1-67891234-12456789abcdef012345678;Root=1-forged-by-the-caller0000000'
    const { record } = await invoke(albEvent(request({ headers: { 'x-amzn-trace-id': trace } })))
    expect(record?.requestId).not.toContain('forged')
  })
})

describe('paths that a URL parser would change', () => {
  test.each([
    '/v1/x/../tokens',
    '/v1/x/%2e%2e/tokens',
    '/v1/%2E/tokens',
    '/v1\\tokens',
    '\\\\evil.example\\v1\\tokens',
    '//evil.example/v1/tokens',
    'https://evil.example/v1/tokens',
    '/v1/tokens?x',
    '/v1/tokens#x',
    '/v1/tok\tens',
    '/v1/tokens\n',
    ' /v1/tokens',
    '/v1/tokens/.',
    '',
  ])('%j', async path => {
    const { invoke, request } = await startFunction()
    const outcome = await invoke(apiGatewayEvent(request({ path })))
    expect(outcome).toMatchObject({
      status: expect.toSatisfy((status: number) => [400, 404].includes(status)),
    })
    expect(outcome.record).toBeUndefined()
  })
})

describe('bodies', () => {
  test.each([
    ['base64 that is none', { body: '{"database":"orders"}', isBase64Encoded: true }, true],
    ['of 17 KB', { body: `{"database":"${'x'.repeat(17_000)}"}` }, false],
    ['of 17 KB in base64', { body: `{"database":"${'x'.repeat(17_000)}"}`, isBase64Encoded: true }, false],
  ])('%s', async (_name, changed, isBroken) => {
    const { invoke, request } = await startFunction()
    const event = apiGatewayEvent(request(changed)) as { body: string }
    if (isBroken) event.body = '%%%%'
    const { status, record } = await invoke(event)
    expect([400, 413]).toContain(status)
    expect(record).toMatchObject({ decision: 'refused', principal: { subject: 'report' } })
  })

  test.each([7, ['{}'], { database: 'orders' }, true])('that is not text: %j', async body => {
    const { invoke, request } = await startFunction()
    expect(await invoke({ ...apiGatewayEvent(request()), body })).toMatchObject({
      status: 400,
      code: 'invalid_request',
    })
  })

  test('a length that the caller made up', async () => {
    const { invoke, request } = await startFunction()
    const headers = { 'content-length': '3', 'transfer-encoding': 'chunked' }
    expect(await invoke(apiGatewayEvent(request({ headers })))).toMatchObject(vended)
  })

  test('compressed', async () => {
    const { invoke, request } = await startFunction()
    const outcome = await invoke(apiGatewayEvent(request({ headers: { 'content-encoding': 'gzip' } })))
    expect(outcome).toMatchObject({ status: 415, code: 'unsupported_media_type' })
  })
})

describe('headers', () => {
  test('two Authorization headers of a load balancer, one of them good', async () => {
    const { invoke, request, authorization } = await startFunction()
    const event = albMultiValueEvent(request()) as { multiValueHeaders: Record<string, string[]> }
    event.multiValueHeaders.authorization = ['ApiKey wrong', authorization]
    const { status } = await invoke(event)
    expect([400, 401]).toContain(status)
  })

  test('two Authorization headers in other letters', async () => {
    const { invoke, request, authorization } = await startFunction()
    const headers = { authorization: 'ApiKey wrong', AUTHORIZATION: authorization }
    const { status } = await invoke(apiGatewayEvent(request({ headers })))
    expect([200, 400, 401]).toContain(status)
  })

  test.each(['constructor', '__proto__', 'host', ''])('a header named %j', async name => {
    const { invoke, request } = await startFunction()
    const { status } = await invoke(apiGatewayEvent(request({ headers: { [name]: 'x' } })))
    expect(status).toBeLessThan(500)
  })

  test('a header with a line break, to write another', async () => {
    const { invoke, request } = await startFunction()
    const headers = { 'user-agent': 'x\r\nAuthorization: ApiKey stolen' }
    const { status, record } = await invoke(apiGatewayEvent(request({ headers })))
    expect(status).toBeLessThan(500)
    expect(record?.principal).toMatchObject({ subject: 'report' })
  })
})

describe('methods', () => {
  test.each(['GET', 'DELETE', 'OPTIONS'])('%s on /v1/tokens', async method => {
    const { invoke, request } = await startFunction()
    expect(await invoke(apiGatewayEvent(request({ method })))).toMatchObject({ status: 405 })
  })

  test.each(['', 'post', 'STEAL', 'POST /v1/tokens HTTP/1.1\r\n'])('%j', async method => {
    const { invoke, request } = await startFunction()
    const { status, record } = await invoke(apiGatewayEvent(request({ method })))
    expect([400, 404, 405]).toContain(status)
    expect(record).toBeUndefined()
  })
})

test.each([
  ['a schedule', { 'detail-type': 'Scheduled Event', source: 'aws.events' }],
  ['a queue', { Records: [{ body: '{"requestContext":{"http":{}}}' }] }],
  [
    'API Gateway with payload 1.0',
    { httpMethod: 'POST', path: '/v1/tokens', requestContext: { identity: {} } },
  ],
  ['null', null],
  ['text', 'POST /v1/tokens'],
])('an event of %s is no request', async (_name, event) => {
  const { invoke, records } = await startFunction()
  await expect(invoke(event as object)).rejects.toThrow(TypeError)
  expect(await records()).toEqual([])
})
