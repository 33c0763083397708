import { describe, expect, test } from 'vitest'
import { type HttpEvent, isHttpEvent, isRoutable, normalizeEvent } from '../../src/lambda/event.ts'
import {
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  type EventRequest,
  functionUrlEvent,
  type ToEvent,
} from '../support/lambda/events/events.ts'

const normalized = (toEvent: ToEvent, request: EventRequest = {}) =>
  normalizeEvent(toEvent(request) as HttpEvent)

describe.each(EVENTS)('an event of %s', (_name, toEvent) => {
  test('is a request: method, path, headers and body', () => {
    const event = toEvent({ method: 'PUT', path: '/v1/x', headers: { 'user-agent': 'me' }, body: '{"a":1}' })
    expect(isHttpEvent(event)).toBe(true)
    const { path, headers, body, isBase64Encoded, requestContext } = normalizeEvent(event as HttpEvent)
    expect({ path, body, isBase64Encoded, method: requestContext.http.method }).toEqual({
      path: '/v1/x',
      body: '{"a":1}',
      isBase64Encoded: false,
      method: 'PUT',
    })
    expect(headers).toMatchObject({ 'user-agent': 'me', 'content-type': 'application/json' })
    expect(headers['content-length']).toBe('7')
  })

  test('has the length of its body as content-length, not the one that the caller sent', () => {
    const { headers, isBase64Encoded } = normalized(toEvent, {
      body: '{"ä":1}',
      isBase64Encoded: true,
      headers: { 'content-length': '99', 'transfer-encoding': 'chunked' },
    })
    expect(isBase64Encoded).toBe(true)
    expect(headers['content-length']).toBe('8')
    expect(headers).not.toHaveProperty('transfer-encoding')
  })

  test('drops a request id that the caller sent', () => {
    const { headers } = normalized(toEvent, { headers: { 'x-request-id': 'chosen' } })
    expect(headers).not.toHaveProperty('x-request-id')
  })

  test('without a User-Agent has an explicit undefined, for the adapter would add its own', () => {
    const event = toEvent({}) as { headers?: object; multiValueHeaders?: object }
    const { 'user-agent': _one, ...headers } = (event.headers ?? {}) as Record<string, string>
    const { 'user-agent': _many, ...lists } = (event.multiValueHeaders ?? {}) as Record<string, string[]>
    const bare = event.multiValueHeaders ? { multiValueHeaders: lists } : { headers }
    const withoutUserAgent = normalizeEvent({ ...event, ...bare } as HttpEvent)
    expect(Object.entries(withoutUserAgent.headers)).toContainEqual(['user-agent', undefined])
  })

  test('has no backslash in its path, which the adapter would read as the beginning of a host', () => {
    expect(normalized(toEvent, { path: '/\\[evil' }).path).toBe('/%5C[evil')
  })
})

describe('the source address', () => {
  const forged = { headers: { 'x-forwarded-for': '198.51.100.66' } }
  test.each([
    ['API Gateway', apiGatewayEvent],
    ['a function URL', functionUrlEvent],
  ] as const)('of %s is the one that AWS names; X-Forwarded-For is ignored', (_name, toEvent) => {
    expect(normalized(toEvent, forged).requestContext.http.sourceIp).toBe('203.0.113.7')
  })

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['127.0.0.1, 198.51.100.66,203.0.113.7', '203.0.113.7'],
    ['198.51.100.66, 203.0.113.7:43210', '203.0.113.7'],
    ['198.51.100.66, ::FFFF:203.0.113.7', '203.0.113.7'],
    ['198.51.100.66, unknown', '0.0.0.0'],
    ['198.51.100.66, 0313.0.113.7', '0.0.0.0'],
    ['198.51.100.66,', '0.0.0.0'],
    ['2001:DB8::7', '2001:db8::7'],
    ['2001:db8::7', '2001:db8::7'],
    ['198.51.100.66, [2001:db8::7]:43210', '2001:db8::7'],
    ['198.51.100.66, nobody', '0.0.0.0'],
    ['', '0.0.0.0'],
  ])('of a load balancer with %j is %s', (forwardedFor, expected) => {
    const headers = { 'x-forwarded-for': forwardedFor }
    expect(normalized(albEvent, { headers }).requestContext.http.sourceIp).toBe(expected)
    expect(normalized(albMultiValueEvent, { headers }).requestContext.http.sourceIp).toBe(expected)
  })

  test.each([
    ['2001:DB8:0:0:0:0:0:7', '2001:db8::7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['test-invoke-source-ip', '0.0.0.0'],
  ])('that AWS names as %j is %s', (sourceIp, expected) => {
    const event = apiGatewayEvent({}) as { requestContext: { http: object } }
    const http = { ...event.requestContext.http, sourceIp }
    const named = { ...event, requestContext: { ...event.requestContext, http } }
    expect(normalizeEvent(named as HttpEvent).requestContext.http.sourceIp).toBe(expected)
  })

  test('is the last entry of several X-Forwarded-For headers', () => {
    const event = albMultiValueEvent({}) as { multiValueHeaders: object }
    const multiValueHeaders = {
      ...event.multiValueHeaders,
      'x-forwarded-for': ['198.51.100.66', '203.0.113.9'],
    }
    const { requestContext, headers } = normalizeEvent({
      ...event,
      multiValueHeaders,
    } as unknown as HttpEvent)
    expect(requestContext.http.sourceIp).toBe('203.0.113.9')
    expect(headers['x-forwarded-for']).toBe('198.51.100.66, 203.0.113.9')
  })
})

describe('the id of a request', () => {
  test('is the one that API Gateway and function URLs name', () => {
    expect(normalized(apiGatewayEvent).requestContext.requestId).toBe('UkXyHi6MIAMEJvw=')
    expect(normalized(functionUrlEvent).requestContext.requestId).toBe('0b2f6d7e-9a1c-4f35-8a51-6c0d2b7e4f19')
  })

  const SELF = '1-69230c5e-5c536a7d1b2a3c4d5e6f7081'
  test.each([
    [`Root=${SELF}`, SELF],
    [`Self=${SELF};Root=1-00000000-chosenbythecallerxxxxxx`, SELF],
    [`Root=1-00000000-chosenbythecallerxxxxxx;Self=${SELF}`, SELF],
    ['Foo=bar', undefined],
    [`Root=${'x'.repeat(65)}`, undefined],
    ['Root=a b', undefined],
    ['', undefined],
  ])('of a load balancer with %j is %s: the one that it made itself', (header, expected) => {
    const headers = { 'x-amzn-trace-id': header }
    expect(normalized(albEvent, { headers }).requestContext.requestId).toBe(expected)
  })
})

test('normalizeEvent removes the name of a stage from the path', () => {
  const event = apiGatewayEvent({ path: '/prod/v1/tokens' }) as { requestContext: object }
  const staged = { ...event, requestContext: { ...event.requestContext, stage: 'prod' } } as HttpEvent
  expect(normalizeEvent(staged).path).toBe('/v1/tokens')
  expect(normalizeEvent(event as HttpEvent).path).toBe('/prod/v1/tokens')
  for (const toEvent of [apiGatewayEvent, functionUrlEvent])
    expect(normalized(toEvent, { path: '/$default/v1/tokens' }).path).toBe('/$default/v1/tokens')
})

test.each([
  [{}],
  [null],
  ['text'],
  [{ source: 'aws.events', detail: {} }],
  [{ Records: [{ eventSource: 'aws:sqs' }] }],
  [
    {
      version: '1.0',
      httpMethod: 'GET',
      path: '/',
      requestContext: { identity: { sourceIp: '203.0.113.7' } },
    },
  ],
])('isHttpEvent is false for %j', event => {
  expect(isHttpEvent(event)).toBe(false)
})

test.each([
  ['GET', '/v1/databases', true],
  ['POST', '/%2e%2ex', true],
  ['GET', '/v1/../x', false],
  ['GET', '/v1/%2E%2e/x', false],
  ['GET', '/.', false],
  ['GET', '/x y', false],
  ['GET', '/x?y', false],
  ['GET', '/x#y', false],
  ['GET', '/x\ny', false],
  ['GET', 'x', false],
  ['get', '/x', false],
])('isRoutable of %s %j is %s', (method, path, expected) => {
  expect(isRoutable(normalized(apiGatewayEvent, { method, path }))).toBe(expected)
})
