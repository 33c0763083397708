import { METHODS } from 'node:http'
import type { Context } from 'aws-lambda'
import fastify from 'fastify'
import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import { rememberPaths } from '../../src/http/known-paths.ts'
import type { App } from '../../src/http/types.ts'
import type { SentEvent } from '../../src/lambda/event-kind.ts'
import { createHandler, type Handler } from '../../src/lambda/handler.ts'
import type { Service } from '../../src/service.ts'
import {
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  eventBehind,
  functionUrlEvent,
  lattice1Event,
  lattice2Event,
  restApiEvent,
  type ToEvent,
  WARM_UPS,
} from '../support/lambda/events/events.ts'
import { startApi } from '../support/service/app.ts'
import { createLogRecorder, eventsOf, type LogRecorder } from '../support/service/log-recorder.ts'

let handler: Handler
let log: LogRecorder
let order: string[]
let starting: { fails: unknown }
/** Sets the base path. */
let behind: (basePath: string) => void

beforeEach(() => {
  log = createLogRecorder()
  order = []
  starting = { fails: undefined }
  const app = fastify({ requestIdHeader: 'x-request-id' }) as unknown as App
  rememberPaths(app)
  app.post('/echo', async (request, reply) => {
    order.push('answered')
    reply.header('x-list', ['a', 'b'])
    return { body: request.body, id: request.id, ip: request.ip, auth: request.headers.authorization }
  })
  const service = {
    app,
    async drain() {
      await Promise.resolve()
      order.push('drained')
    },
  } as unknown as Service
  handler = handlerOf(service)
  behind = basePath => {
    handler = handlerOf(service, basePath)
  }
})

function handlerOf(service: Service, basePath = ''): Handler {
  return createHandler({
    log,
    basePath,
    executionEnvironment: {
      async getService() {
        if (starting.fails) throw starting.fails
        return service
      },
    },
  })
}

const invoke = (event: object | null) => handler(event as SentEvent, {} as Context)
const eventOf = (toEvent: ToEvent, headers = {}) => toEvent({ path: '/echo', body: '{"a":1}', headers })

test.each(EVENTS)('an event of %s is answered after the service has drained', async (_name, toEvent) => {
  const { statusCode, body } = await invoke(eventOf(toEvent))
  expect(statusCode).toBe(200)
  expect(JSON.parse(body)).toMatchObject({ body: { a: 1 }, ip: '203.0.113.7' })
  expect(order).toEqual(['answered', 'drained'])
})

test('replies have headers as lists only if the event has', async () => {
  const listed = await invoke(eventOf(albMultiValueEvent))
  expect(listed.multiValueHeaders).toMatchObject({
    'content-type': ['application/json; charset=utf-8'],
    'x-list': ['a,b'],
  })
  for (const toEvent of [
    apiGatewayEvent,
    restApiEvent,
    functionUrlEvent,
    albEvent,
    lattice1Event,
    lattice2Event,
  ])
    expect(await invoke(eventOf(toEvent))).not.toHaveProperty('multiValueHeaders')
})

test('a reply to a REST API has what it takes: whole numbers, text and no lists', async () => {
  const { statusCode, headers, body, isBase64Encoded } = await invoke(eventOf(restApiEvent))
  expect([statusCode, isBase64Encoded, JSON.parse(body).id]).toEqual([
    200,
    false,
    'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
  ])
  for (const value of Object.values(headers ?? {})) expect(value).toBeTypeOf('string')
  expect(headers?.['x-list']).toBe('a,b')
})

describe('a path', () => {
  const answers = async (event: object) => (await invoke(event)).statusCode
  test.each([
    [apiGatewayEvent, '/prod/echo', 'prod', 200],
    [apiGatewayEvent, '/echo', 'echo', 200],
    [apiGatewayEvent, '/echo/echo', 'echo', 200],
    [restApiEvent, '/echo', 'echo', 200],
    [restApiEvent, '/echo', 'prod', 200],
    [restApiEvent, '/prod/echo', 'prod', 200],
    [apiGatewayEvent, '/$default/echo', '$default', 404],
    [apiGatewayEvent, '/production/echo', 'prod', 404],
    [apiGatewayEvent, '/prod/../echo', 'prod', 404],
    [apiGatewayEvent, '/prod%2Fecho', 'prod', 404],
    [apiGatewayEvent, '/prod//echo', 'prod', 404],
  ] as const)('of %o: %s at the stage %s is %i', async (toEvent, path, name, status) => {
    expect(await answers(eventBehind(name, toEvent({ path, body: '{}' })))).toBe(status)
  })

  test.each(EVENTS)('of %s may begin with the base path', async (_name, toEvent) => {
    const at = (path: string) => answers(toEvent({ path, body: '{}' }))
    expect(await at('/jeton/echo')).toBe(404)
    behind('/jeton')
    expect([await at('/jeton/echo'), await at('/echo')]).toEqual([200, 200])
    expect([await at('/jetonecho'), await at('/jeton/../echo'), await at('/other/echo')]).toEqual([
      404, 404, 404,
    ])
  })

  test('with the base path and another method is 405, as without it', async () => {
    const { app } = await startApi()
    handler = handlerOf({ app, drain: async () => {} } as unknown as Service, '/jeton')
    const { statusCode, headers } = await invoke(apiGatewayEvent({ method: 'GET', path: '/jeton/v1/tokens' }))
    expect([statusCode, headers?.allow]).toEqual([405, 'POST'])
  })
})

test.each([
  ['authorization', { authorization: ['Bearer a', 'Bearer b'] }],
  ['authorization', { authorization: ['Bearer a'], Authorization: ['Bearer b'] }],
  ['host', { host: ['a', 'b'] }],
  ['content-type', { 'content-type': ['application/json', 'text/plain'] }],
])('a %s header that was sent twice is a 400, and nothing is made of it', async (name, twice) => {
  const event = eventOf(albMultiValueEvent) as { multiValueHeaders: object }
  const multiValueHeaders = { ...event.multiValueHeaders, ...twice }
  const { statusCode, body } = await invoke({ ...event, multiValueHeaders })
  expect(statusCode).toBe(400)
  expect(JSON.parse(body)).toMatchObject({
    type: 'urn:jeton:problem:invalid_request',
    detail: `the request has more than one ${name} header`,
  })
  expect(order).toEqual([])
})

test("headers of the adapter's own are ignored if a caller sends them", async () => {
  const headers = {
    'x-apigateway-event': '%7B%7D',
    'x-aws-lambda-fastify-request': 'x',
    'x-request-id': 'mine',
  }
  const { body } = await invoke(eventOf(apiGatewayEvent, headers))
  expect(JSON.parse(body).id).toBe('UkXyHi6MIAMEJvw=')
})

test.each(EVENTS)('a query of %s that cannot be decoded is ignored', async (_name, toEvent) => {
  const queries = {
    queryStringParameters: { a: '%E0%A4%A' },
    multiValueQueryStringParameters: { a: ['%E0%A4%A'] },
  }
  expect((await invoke({ ...eventOf(toEvent), ...queries })).statusCode).toBe(200)
})

test('whoami and a 403 tell a caller of itself, as from a server', async () => {
  const { app, records, bearer } = await startApi()
  handler = handlerOf({ app, drain: async () => {} } as unknown as Service)
  const authorization = await bearer({ repository_id: '1' })
  const withCredential = (request: object) => {
    const event = apiGatewayEvent(request) as { headers: Record<string, string> }
    return { ...event, headers: { ...event.headers, authorization, 'content-type': 'application/json' } }
  }
  const whoami = await invoke(withCredential({ method: 'GET', path: '/v1/whoami' }))
  expect(whoami.statusCode).toBe(200)
  expect(JSON.parse(whoami.body)).toMatchObject({ principal: { subject: 'someone' }, databases: [] })
  const denied = await invoke(withCredential({ path: '/v1/tokens', body: '{"database":"orders"}' }))
  expect(denied.statusCode).toBe(403)
  expect(JSON.parse(denied.body)).toMatchObject({
    principal: { issuer: 'github', subject: 'someone' },
    auditId: records[1]?.id,
  })
  expect(records.map(({ decision }) => decision)).toEqual(['listed', 'refused'])
})

test('a minimum has another token minted within the same event, as on a server', async () => {
  const { app, bearer, clock } = await startApi()
  handler = handlerOf({ app, drain: async () => {} } as unknown as Service)
  const authorization = await bearer()
  const vend = async (members: object) => {
    const body = JSON.stringify({ database: 'orders', ...members })
    const event = apiGatewayEvent({ path: '/v1/tokens', body }) as { headers: Record<string, string> }
    const headers = { ...event.headers, authorization, 'content-type': 'application/json' }
    return JSON.parse((await invoke({ ...event, headers })).body)
  }
  const first = await vend({})
  await clock.advance(300_000)
  expect(await vend({ minimumSeconds: 590 })).toMatchObject({ fingerprint: first.fingerprint })
  const { expiresIn, cached } = await vend({ minimumSeconds: 840 })
  expect([expiresIn >= 840, cached]).toEqual([true, false])
})

test.each([
  ['an HTTP API', apiGatewayEvent],
  ['a REST API', restApiEvent],
  ['a load balancer', albMultiValueEvent],
  ['VPC Lattice', lattice2Event],
])('the trace of a request by way of %s is in its record', async (_name, toEvent) => {
  const { app, records } = await startApi()
  handler = handlerOf({ app, drain: async () => {} } as unknown as Service)
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
  await invoke(toEvent({ path: '/v1/tokens', body: '{}', headers }))
  expect(records).toMatchObject([{ code: 'unauthenticated', traceId }])
})

test('a request without a User-Agent is recorded without one', async () => {
  const { app, records } = await startApi()
  handler = handlerOf({ app, drain: async () => {} } as unknown as Service)
  const event = apiGatewayEvent({}) as { headers: Record<string, string> }
  const { 'user-agent': _theirs, ...headers } = event.headers
  for (const each of [{ ...headers, 'user-agent': 'mine' }, headers])
    await invoke({ ...event, headers: each })
  expect(records.map(({ userAgent }) => userAgent)).toEqual(['mine', undefined])
})

describe('404', () => {
  const NOT_FOUND = {
    statusCode: 404,
    headers: expect.objectContaining({ 'content-type': 'application/problem+json' }),
  }
  const DOT_SEGMENTS = ['/v1/../echo', '/./echo', '/x/%2e%2E/echo', '/x/.%2e/echo', '/%2e/echo', '/echo/.']

  test.each([...DOT_SEGMENTS, '/ec\tho', '/echo\n', '/echo ', '/echo#x', 'http://[', 'echo', '', '*'])(
    'is the reply to the path %j, from every kind of sender',
    async path => {
      for (const [, toEvent] of EVENTS) {
        const reply = await invoke(toEvent({ path, body: '{}' }))
        expect(reply).toMatchObject(NOT_FOUND)
        expect(JSON.parse(reply.body)).toMatchObject({ code: 'not_found', requestId: expect.any(String) })
      }
      expect([order, log.lines]).toEqual([[], []])
    },
  )

  test('is the reply to a query in the path, but VPC Lattice leaves queries there', async () => {
    const lattice = [lattice1Event, lattice2Event]
    for (const [, toEvent] of EVENTS) {
      const { statusCode } = await invoke(toEvent({ path: '/echo?x', body: '{}' }))
      expect(statusCode).toBe(lattice.includes(toEvent) ? 200 : 404)
    }
  })

  test.each(['FOO', '', 'post', 'GET '])('is the reply to the method %j', async method => {
    for (const [, toEvent] of EVENTS)
      expect(await invoke(toEvent({ method, path: '/echo' }))).toMatchObject(NOT_FOUND)
    expect(order).toEqual([])
  })

  test("is the app's own reply to a method that no route has", async () => {
    for (const method of METHODS.filter(each => each !== 'POST'))
      expect((await invoke(albEvent({ method, path: '/echo', body: '{}' }))).statusCode).toBe(404)
  })

  test('has the request id of AWS if there is one', async () => {
    const reply = await invoke(apiGatewayEvent({ path: '/echo#x' }))
    expect(JSON.parse(reply.body).requestId).toBe('UkXyHi6MIAMEJvw=')
  })
})

describe('an event that somebody made up', () => {
  const NOT_TEXT = [null, 7, true, [7], {}, { a: null }, [null]]
  test.each([
    { path: undefined, rawPath: undefined, raw_path: null },
    { path: 7, rawPath: 7, raw_path: 7 },
    { body: 7 },
    { body: { a: 1 } },
    ...NOT_TEXT.map(value => ({
      headers: { 'user-agent': value },
      multiValueHeaders: { 'user-agent': value },
    })),
  ])('with %j is invalid_request, not a bug', async over => {
    for (const [, toEvent] of EVENTS) {
      const { statusCode, headers, body } = await invoke({ ...eventOf(toEvent), ...over })
      expect([statusCode, JSON.parse(body).code]).toEqual([400, 'invalid_request'])
      expect(headers?.['content-type']).toBe('application/problem+json')
    }
    expect(order).toEqual([])
    expect(log.lines).toEqual([])
  })

  test.each(NOT_TEXT)('with the source address %j has none', async sourceIp => {
    for (const toEvent of [apiGatewayEvent, functionUrlEvent]) {
      const event = eventOf(toEvent) as { requestContext: { http: object } }
      const http = { ...event.requestContext.http, sourceIp }
      const { body } = await invoke({ ...event, requestContext: { ...event.requestContext, http } })
      expect(JSON.parse(body).ip).toBe('0.0.0.0')
    }
  })

  test.each(NOT_TEXT)('with the method %j is invalid_request', async method => {
    for (const [, toEvent] of EVENTS) {
      const event = toEvent({ path: '/echo' }) as { requestContext?: { http?: object } }
      const context = event.requestContext?.http
        ? { requestContext: { ...event.requestContext, http: { ...event.requestContext.http, method } } }
        : {}
      const reply = await invoke({ ...event, httpMethod: method, method, ...context })
      expect([reply.statusCode, JSON.parse(reply.body).code]).toEqual([400, 'invalid_request'])
    }
  })

  test('as if by two services is invalid_request', async () => {
    const [one, two] = [albEvent({}), apiGatewayEvent({})] as { requestContext: object }[]
    const requestContext = { ...one?.requestContext, ...two?.requestContext }
    const { statusCode, body } = await invoke({ ...one, ...two, requestContext })
    expect([statusCode, JSON.parse(body).detail]).toEqual([400, 'the event has members of two services'])
    expect(log.lines).toEqual([])
  })
})

describe('an event that is no request', () => {
  test.each(WARM_UPS)('of %s is answered without a word in the log', async (_name, event) => {
    expect(await invoke(event)).toMatchObject({ statusCode: 200, body: '{"status":"warm"}' })
    expect(order).toEqual(['drained'])
    expect(log.lines).toEqual([])
  })

  test('and is to keep it warm says if jeton cannot start', async () => {
    starting.fails = new JetonError('temporarily_unavailable', { publicMessage: 'not now' })
    const { statusCode, body } = await invoke({ warmer: true })
    expect([statusCode, JSON.parse(body).detail]).toEqual([503, 'not now'])
  })

  test.each([
    [{ Records: [{ eventSource: 'aws:sqs', body: 's3cret' }] }, ['Records']],
    [{ requestContext: { http: null } }, ['requestContext']],
    [{ ['x'.repeat(100)]: 1 }, [`${'x'.repeat(39)}…`]],
    [['x'], 'object'],
    ['text', 'string'],
    [7, 'number'],
    [undefined, 'undefined'],
  ])('and is not recognized: %j gets a clear answer and one line', async (event, members) => {
    const { statusCode, body } = await invoke(event as object)
    expect([statusCode, JSON.parse(body).code]).toEqual([400, 'invalid_request'])
    expect(JSON.parse(body).detail).toContain('call this function through an HTTP API')
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { event: 'event_not_recognized', members } }])
    expect(JSON.stringify(log.lines)).not.toContain('s3cret')
  })
})

test('a service that cannot start is a 503 with Retry-After', async () => {
  starting.fails = new JetonError('temporarily_unavailable', {
    publicMessage: 'not now',
    retryAfterMs: 5000,
  })
  const { statusCode, headers, body } = await invoke(eventOf(apiGatewayEvent))
  expect(statusCode).toBe(503)
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'retry-after': '5',
    'x-request-id': 'UkXyHi6MIAMEJvw=',
  })
  expect(JSON.parse(body)).toMatchObject({ code: 'temporarily_unavailable', requestId: 'UkXyHi6MIAMEJvw=' })
  expect((await invoke(eventOf(albMultiValueEvent))).multiValueHeaders?.['retry-after']).toEqual(['5'])
})

test('a bug is logged without its message, and the reply says nothing about it', async () => {
  starting.fails = new Error('s3cret')
  const { statusCode, body } = await invoke(eventOf(apiGatewayEvent))
  expect([statusCode, JSON.parse(body).code]).toEqual([500, 'internal_error'])
  expect(JSON.stringify([body, log.lines])).not.toContain('s3cret')
  expect(eventsOf(log)).toEqual(['request_failed'])
})
