import type { Context } from 'aws-lambda'
import fastify from 'fastify'
import { beforeEach, expect, test } from 'vitest'
import type { Service } from '../../src/compose.ts'
import { JetonError } from '../../src/errors.ts'
import { type Answer, createAnswer } from '../../src/lambda/answer.ts'
import type { HttpEvent } from '../../src/lambda/event.ts'
import { albMultiValueEvent, apiGatewayEvent, EVENTS, type ToEvent } from '../world/events/events.ts'
import { rememberingLog } from '../world/log.ts'

let answer: Answer
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
    async settled() {
      await Promise.resolve()
      order.push('settled')
    },
  } as unknown as Service
  answer = createAnswer({
    log,
    sandbox: {
      async service() {
        if (composing.fails) throw composing.fails
        return service
      },
    },
  })
})

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
  expect(log.lines.map(({ msg }) => msg)).toEqual(['a request failed'])
})

test('what is no request is refused by its name', async () => {
  await expect(invoke({ source: 'aws.events' })).rejects.toThrow('no event of an HTTP API')
})
