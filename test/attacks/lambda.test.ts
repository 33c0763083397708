import type { Context } from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import { REQUEST_ID_HEADER } from '../../src/lambda/event-headers.ts'
import type { SentEvent } from '../../src/lambda/event-kind.ts'
import { createHandler } from '../../src/lambda/handler.ts'
import {
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  type EventRequest,
  eventBehind,
  functionUrlEvent,
  lattice1Event,
  lattice2Event,
  restApiEvent,
  type ToEvent,
  WARM_UPS,
} from '../support/lambda/events/events.ts'
import { startTarget, type TargetOptions } from './target.ts'

/** What callers can put into the events that AWS passes on, and what only AWS writes. */
async function startFunction({ basePath = '', ...options }: TargetOptions & { basePath?: string } = {}) {
  const target = await startTarget({ ...options, service: { http: { requestIdHeader: REQUEST_ID_HEADER } } })
  const { service, log } = target
  const handler = createHandler({ executionEnvironment: { getService: async () => service }, basePath, log })

  async function invoke(event: unknown) {
    const before = (await target.records()).length
    const reply = await handler(event as SentEvent, {} as Context)
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
    ['a REST API', restApiEvent],
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
    ['VPC Lattice, version 1', lattice1Event],
    ['VPC Lattice, version 2', lattice2Event],
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

describe('paths behind a base path and a stage', () => {
  test.each([
    ['/jeton/v1/tokens', 'prod', 200],
    ['/prod/jeton/v1/tokens', 'prod', 200],
    // the stage's name is one of jeton's own segments
    ['/v1/tokens', 'v1', 200],
    ['/v1/v1/tokens', 'v1', 200],
    ['/jeton/../v1/tokens', 'prod', 404],
    ['/jeton/%2e%2e/v1/tokens', 'prod', 404],
    ['/jeton/..%2Fv1/tokens', 'prod', 404],
    ['/jeton%2Fv1%2Ftokens', 'prod', 404],
    ['/jeton/v1%2Ftokens', 'prod', 404],
    ['/jeton\\v1\\tokens', 'prod', 404],
    ['/jeton//evil.example/v1/tokens', 'prod', 404],
    ['//jeton/v1/tokens', 'prod', 404],
    ['/jeton/jeton/v1/tokens', 'prod', 404],
    ['/jetonv1/tokens', 'prod', 404],
    ['/prod/prod/v1/tokens', 'prod', 404],
    ['/../v1/tokens', '..', 404],
    ['/v1/tokens', '', 200],
    ['//v1/tokens', '/', 404],
  ])('%j at the stage %j is %i, and recorded only if it is a route', async (path, name, status) => {
    const { invoke, request } = await startFunction({ basePath: '/jeton' })
    const outcome = await invoke(eventBehind(name, apiGatewayEvent(request({ path }))))
    expect(outcome.status).toBe(status)
    expect(outcome.record?.decision).toBe(status === 200 ? 'vended' : undefined)
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
    for (const [, toEvent] of EVENTS)
      expect(await invoke({ ...toEvent(request()), body })).toMatchObject({
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
  test.each([
    ['a load balancer', albMultiValueEvent, 'multiValueHeaders'],
    ['a REST API', restApiEvent, 'multiValueHeaders'],
    ['VPC Lattice', lattice2Event, 'headers'],
  ] as const)('two Authorization headers of %s, one of them good', async (_name, toEvent, member) => {
    const { invoke, request, authorization } = await startFunction()
    const event = toEvent(request()) as Record<string, object>
    const both = { ...event[member], authorization: ['ApiKey wrong', authorization] }
    expect(await invoke({ ...event, [member]: both })).toMatchObject({ status: 400, code: 'invalid_request' })
  })

  test('what a REST API says to be the last of two is not what counts', async () => {
    const { invoke, request, authorization } = await startFunction()
    const event = restApiEvent(request()) as { multiValueHeaders: object }
    const multiValueHeaders = { ...event.multiValueHeaders, authorization: ['ApiKey wrong'] }
    const outcome = await invoke({ ...event, headers: { authorization }, multiValueHeaders })
    expect(outcome).toMatchObject({ status: 401, code: 'unauthenticated' })
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

describe('an event that is no request', () => {
  test.each<readonly [string, unknown]>([
    ['a queue', { Records: [{ body: '{"requestContext":{"http":{}}}' }] }],
    ['a REST API without a method', { path: '/v1/tokens', requestContext: { identity: {} } }],
    ['a REST API without an identity', { httpMethod: 'POST', path: '/v1/tokens', requestContext: {} }],
    ['text', 'POST /v1/tokens'],
  ])('of %s is refused in one line, and not recorded', async (_name, event) => {
    const { invoke, records, log } = await startFunction()
    expect(await invoke(event)).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(await records()).toEqual([])
    expect(log.lines.map(({ fields }) => fields.event)).toEqual(['event_not_recognized'])
  })

  test.each(WARM_UPS)('of %s gets no token, and is not recorded', async (_name, event) => {
    const { invoke, request, records } = await startFunction()
    expect(await invoke({ ...request(), ...event })).toMatchObject(
      event && 'source' in event ? { status: 200, body: { status: 'warm' } } : {},
    )
    expect(await records()).toEqual([])
  })
})

describe('an event as if by two services', () => {
  // one of them would name the source, and the other let the caller name it
  test.each<readonly [string, ToEvent]>([
    ['a load balancer', albEvent],
    ['VPC Lattice, version 2', lattice2Event],
  ])('%s and API Gateway', async (_name, toEvent) => {
    const { invoke, request, records } = await startFunction()
    const [one, two] = [toEvent(request()), apiGatewayEvent(request())] as { requestContext: object }[]
    const requestContext = { ...one?.requestContext, ...two?.requestContext }
    expect(await invoke({ ...two, ...one, requestContext })).toMatchObject({
      status: 400,
      code: 'invalid_request',
    })
    expect(await records()).toEqual([])
  })
})
