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
  type ToEvent,
} from '../support/lambda/events/events.ts'
import { appWorld } from '../support/service/app.ts'
import { rememberingLog } from '../support/service/log.ts'

let answer: Handler
let log: ReturnType<typeof rememberingLog>
let order: string[]
let composing: { fails: unknown }

beforeEach(() => {
  log = rememberingLog()
  order = []
  composing = { fails: undefined }
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
      order.push('settled')
    },
  } as unknown as Service
  answer = answerOf(service)
})

function answerOf(service: Service): Handler {
  return createHandler({
    log,
    sandbox: {
      async service() {
        if (composing.fails) throw composing.fails
        return service
      },
    },
  })
}

const invoke = (event: object) => answer(event as HttpEvent, {} as Context)
const asking = (toEvent: ToEvent, headers = {}) => toEvent({ path: '/echo', body: '{"a":1}', headers })

test.each(EVENTS)('%s is answered when all that it began is done', async (_name, toEvent) => {
  const { statusCode, body } = await invoke(asking(toEvent))
  expect(statusCode).toBe(200)
  expect(JSON.parse(body)).toMatchObject({ body: { a: 1 }, ip: '203.0.113.7' })
  expect(order).toEqual(['answered', 'settled'])
})

test('headers are lists for who sent lists, and for nobody else', async () => {
  const listed = await invoke(asking(albMultiValueEvent))
  expect(listed.multiValueHeaders).toMatchObject({
    'content-type': ['application/json; charset=utf-8'],
    'x-list': ['a,b'],
  })
  expect(await invoke(asking(apiGatewayEvent))).not.toHaveProperty('multiValueHeaders')
})

test('of a credential that came twice, neither is taken for it', async () => {
  const event = asking(albMultiValueEvent) as { multiValueHeaders: object }
  const multiValueHeaders = { ...event.multiValueHeaders, authorization: ['Bearer a', 'Bearer b'] }
  expect(JSON.parse((await invoke({ ...event, multiValueHeaders })).body).auth).toBe('Bearer a, Bearer b')
})

test('an event of a caller cannot pass for one of the adapter’s own', async () => {
  const headers = {
    'x-apigateway-event': '%7B%7D',
    'x-aws-lambda-fastify-request': 'x',
    'x-request-id': 'mine',
  }
  const { body } = await invoke(asking(apiGatewayEvent, headers))
  expect(JSON.parse(body).id).toBe('UkXyHi6MIAMEJvw=')
})

test.each(EVENTS)('a query of %s that is no text at all is passed over', async (_name, toEvent) => {
  const queries = {
    queryStringParameters: { a: '%E0%A4%A' },
    multiValueQueryStringParameters: { a: ['%E0%A4%A'] },
  }
  expect((await invoke({ ...asking(toEvent), ...queries })).statusCode).toBe(200)
})

test('who sends no User-Agent is recorded without one', async () => {
  const { app, records } = await appWorld()
  answer = answerOf({ app, drain: async () => {} } as unknown as Service)
  const event = apiGatewayEvent({}) as { headers: Record<string, string> }
  const { 'user-agent': _theirs, ...headers } = event.headers
  for (const each of [{ ...headers, 'user-agent': 'mine' }, headers])
    await invoke({ ...event, headers: each })
  expect(records.map(({ userAgent }) => userAgent)).toEqual(['mine', undefined])
})

describe('there is nothing', () => {
  const NOT_FOUND = {
    statusCode: 404,
    headers: expect.objectContaining({ 'content-type': 'application/problem+json' }),
  }
  const HAS_NO_DOTS = ['/v1/../echo', '/./echo', '/x/%2e%2E/echo', '/x/.%2e/echo', '/%2e/echo', '/echo/.']

  test.each([
    ...HAS_NO_DOTS,
    '/ec\tho',
    '/echo\n',
    '/echo ',
    '/echo#x',
    '/echo?x',
    'http://[',
    'echo',
    '',
    '*',
  ])('at %j, whoever sends it', async path => {
    for (const [, toEvent] of EVENTS) {
      const reply = await invoke(toEvent({ path, body: '{}' }))
      expect(reply).toMatchObject(NOT_FOUND)
      expect(JSON.parse(reply.body)).toMatchObject({ code: 'not_found', requestId: expect.any(String) })
    }
    expect([order, log.lines]).toEqual([[], []])
  })

  test.each(['FOO', '', 'post', 'GET '])('for the method %j', async method => {
    for (const [, toEvent] of EVENTS)
      expect(await invoke(toEvent({ method, path: '/echo' }))).toMatchObject(NOT_FOUND)
    expect(order).toEqual([])
  })

  test('for methods that no route has, as the app says it', async () => {
    for (const method of METHODS.filter(each => each !== 'POST'))
      expect((await invoke(albEvent({ method, path: '/echo', body: '{}' }))).statusCode).toBe(404)
  })

  test('with an id of AWS, where it says one', async () => {
    const reply = await invoke(apiGatewayEvent({ path: '/echo#x' }))
    expect(JSON.parse(reply.body).requestId).toBe('UkXyHi6MIAMEJvw=')
  })
})

test.each([
  { path: undefined, rawPath: undefined },
  { path: 7, rawPath: 7 },
  { body: 7 },
  { body: { a: 1 } },
])('an event that is half a request is answered, not thrown: %j', async over => {
  for (const [, toEvent] of EVENTS) {
    const { statusCode, headers } = await invoke({ ...asking(toEvent), ...over })
    expect(statusCode === 400 || statusCode === 500).toBe(true)
    expect(headers?.['content-type']).toBe('application/problem+json')
  }
  expect(order).toEqual([])
})

test('without a service it is a problem that says when to come back', async () => {
  composing.fails = new JetonError('temporarily_unavailable', {
    publicMessage: 'not now',
    retryAfterMs: 5000,
  })
  const { statusCode, headers, body } = await invoke(asking(apiGatewayEvent))
  expect(statusCode).toBe(503)
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'retry-after': '5',
    'x-request-id': 'UkXyHi6MIAMEJvw=',
  })
  expect(JSON.parse(body)).toMatchObject({ code: 'temporarily_unavailable', requestId: 'UkXyHi6MIAMEJvw=' })
  expect((await invoke(asking(albMultiValueEvent))).multiValueHeaders?.['retry-after']).toEqual(['5'])
})

test('a bug is told in the log without its words, and nothing of it outside', async () => {
  composing.fails = new Error('s3cret')
  const { statusCode, body } = await invoke(asking(apiGatewayEvent))
  expect([statusCode, JSON.parse(body).code]).toEqual([500, 'internal_error'])
  expect(JSON.stringify([body, log.lines])).not.toContain('s3cret')
  expect(log.lines.map(({ fields }) => fields.event)).toEqual(['request_failed'])
})

test('what is no request is refused by its name', async () => {
  await expect(invoke({ source: 'aws.events' })).rejects.toThrow('no event of an HTTP API')
})
