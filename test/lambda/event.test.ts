import { describe, expect, test } from 'vitest'
import { type HttpEvent, isHttpEvent, plainEvent } from '../../src/lambda/event.ts'
import {
  type Asking,
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  functionUrlEvent,
  type ToEvent,
} from '../support/lambda/events/events.ts'

const plain = (toEvent: ToEvent, asking: Asking = {}) => plainEvent(toEvent(asking) as HttpEvent)

describe.each(EVENTS)('an event of %s', (_name, toEvent) => {
  test('is a request', () => {
    const event = toEvent({ method: 'PUT', path: '/v1/x', headers: { 'user-agent': 'me' }, body: '{"a":1}' })
    expect(isHttpEvent(event)).toBe(true)
    const { path, headers, body, isBase64Encoded, requestContext } = plainEvent(event as HttpEvent)
    expect({ path, body, isBase64Encoded, method: requestContext.http.method }).toEqual({
      path: '/v1/x',
      body: '{"a":1}',
      isBase64Encoded: false,
      method: 'PUT',
    })
    expect(headers).toMatchObject({ 'user-agent': 'me', 'content-type': 'application/json' })
    expect(headers['content-length']).toBe('7')
  })

  test('says its length by the body that it has, whatever a header says', () => {
    const { headers, isBase64Encoded } = plain(toEvent, {
      body: '{"ä":1}',
      isBase64Encoded: true,
      headers: { 'content-length': '99', 'transfer-encoding': 'chunked' },
    })
    expect(isBase64Encoded).toBe(true)
    expect(headers['content-length']).toBe('8')
    expect(headers).not.toHaveProperty('transfer-encoding')
  })

  test('does not carry a request id of the caller', () => {
    const { headers } = plain(toEvent, { headers: { 'x-request-id': 'chosen' } })
    expect(headers).not.toHaveProperty('x-request-id')
  })

  test('without a User-Agent says so, for the adapter would say one of its own', () => {
    const event = toEvent({}) as { headers?: object; multiValueHeaders?: object }
    const { 'user-agent': _one, ...headers } = (event.headers ?? {}) as Record<string, string>
    const { 'user-agent': _many, ...lists } = (event.multiValueHeaders ?? {}) as Record<string, string[]>
    const bare = event.multiValueHeaders ? { multiValueHeaders: lists } : { headers }
    const plain = plainEvent({ ...event, ...bare } as HttpEvent)
    expect(Object.entries(plain.headers)).toContainEqual(['user-agent', undefined])
  })

  test('has no path that names a host', () => {
    expect(plain(toEvent, { path: '/\\[evil' }).path).toBe('/%5C[evil')
  })
})

describe('where a request comes from', () => {
  const forged = { headers: { 'x-forwarded-for': '198.51.100.66' } }
  test.each([
    ['API Gateway', apiGatewayEvent],
    ['a function URL', functionUrlEvent],
  ] as const)('%s says itself: X-Forwarded-For is not believed', (_name, toEvent) => {
    expect(plain(toEvent, forged).requestContext.http.sourceIp).toBe('203.0.113.7')
  })

  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['127.0.0.1, 198.51.100.66,203.0.113.7', '203.0.113.7'],
    ['198.51.100.66, 203.0.113.7:43210', '203.0.113.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['198.51.100.66, [2001:db8::7]:43210', '2001:db8::7'],
    ['198.51.100.66, nobody', '0.0.0.0'],
    ['', '0.0.0.0'],
  ])('of a load balancer with %j it is %s', (forwardedFor, expected) => {
    const headers = { 'x-forwarded-for': forwardedFor }
    expect(plain(albEvent, { headers }).requestContext.http.sourceIp).toBe(expected)
    expect(plain(albMultiValueEvent, { headers }).requestContext.http.sourceIp).toBe(expected)
  })

  test('of several lines of the header, the last counts', () => {
    const event = albMultiValueEvent({}) as { multiValueHeaders: object }
    const multiValueHeaders = {
      ...event.multiValueHeaders,
      'x-forwarded-for': ['198.51.100.66', '203.0.113.9'],
    }
    const { requestContext, headers } = plainEvent({ ...event, multiValueHeaders } as unknown as HttpEvent)
    expect(requestContext.http.sourceIp).toBe('203.0.113.9')
    expect(headers['x-forwarded-for']).toBe('198.51.100.66, 203.0.113.9')
  })
})

describe('the id of a request', () => {
  test('is what API Gateway and function URLs call it', () => {
    expect(plain(apiGatewayEvent).requestContext.requestId).toBe('UkXyHi6MIAMEJvw=')
    expect(plain(functionUrlEvent).requestContext.requestId).toBe('0b2f6d7e-9a1c-4f35-8a51-6c0d2b7e4f19')
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
  ])('of a load balancer with %j is %s: what it has made itself', (header, expected) => {
    const headers = { 'x-amzn-trace-id': header }
    expect(plain(albEvent, { headers }).requestContext.requestId).toBe(expected)
  })
})

test('a stage that has a name does not belong to the path', () => {
  const event = apiGatewayEvent({ path: '/prod/v1/tokens' }) as { requestContext: object }
  const staged = { ...event, requestContext: { ...event.requestContext, stage: 'prod' } } as HttpEvent
  expect(plainEvent(staged).path).toBe('/v1/tokens')
  expect(plainEvent(event as HttpEvent).path).toBe('/prod/v1/tokens')
  for (const toEvent of [apiGatewayEvent, functionUrlEvent])
    expect(plain(toEvent, { path: '/$default/v1/tokens' }).path).toBe('/$default/v1/tokens')
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
])('what is no request is told apart: %j', event => {
  expect(isHttpEvent(event)).toBe(false)
})
