import { METHODS } from 'node:http'
import type { Context } from 'aws-lambda'
import fastify from 'fastify'
import { beforeEach, describe, expect, test } from 'vitest'
import { JetonError } from '../../src/errors.ts'
import type { HttpEvent } from '../../src/lambda/event.ts'
import { createHandler, type Handler } from '../../src/lambda/handler.ts'
import type { Service } from '../../src/service.ts'
import {
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  functionUrlEvent,
  type ToEvent,
} from '../support/lambda/events/events.ts'
import { startApi } from '../support/service/app.ts'
import { createLogRecorder, eventsOf, type LogRecorder } from '../support/service/log-recorder.ts'

let handler: Handler
let log: LogRecorder
let order: string[]
let starting: { fails: unknown }

beforeEach(() => {
  log = createLogRecorder()
  order = []
  starting = { fails: undefined }
  const app = fastify({ requestIdHeader: 'x-request-id' })
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
})

function handlerOf(service: Service): Handler {
  return createHandler({
    log,
    executionEnvironment: {
      async getService() {
        if (starting.fails) throw starting.fails
        return service
      },
    },
  })
}

const invoke = (event: object) => handler(event as HttpEvent, {} as Context)
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
  expect(await invoke(eventOf(apiGatewayEvent))).not.toHaveProperty('multiValueHeaders')
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

  test.each([
    ...DOT_SEGMENTS,
    '/ec\tho',
    '/echo\n',
    '/echo ',
    '/echo#x',
    '/echo?x',
    'http://[',
    'echo',
    '',
    '*',
  ])('is the reply to the path %j, from every kind of sender', async path => {
    for (const [, toEvent] of EVENTS) {
      const reply = await invoke(toEvent({ path, body: '{}' }))
      expect(reply).toMatchObject(NOT_FOUND)
      expect(JSON.parse(reply.body)).toMatchObject({ code: 'not_found', requestId: expect.any(String) })
    }
    expect([order, log.lines]).toEqual([[], []])
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
    { path: undefined, rawPath: undefined },
    { path: 7, rawPath: 7 },
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

  test.each([null, 7, 'x'])('with requestContext.http = %j is no HTTP request', async http => {
    await expect(invoke({ ...eventOf(apiGatewayEvent), requestContext: { http } })).rejects.toThrow(
      'the event is not an HTTP request',
    )
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

test('an event that is not an HTTP request makes the handler reject', async () => {
  await expect(invoke({ source: 'aws.events' })).rejects.toThrow('the event is not an HTTP request')
})
