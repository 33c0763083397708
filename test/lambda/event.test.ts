import { describe, expect, test } from 'vitest'
import { isRoutable, type NormalizedEvent, normalizeEvent } from '../../src/lambda/event.ts'
import { recognizeEvent } from '../../src/lambda/event-kind.ts'
import {
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  type EventRequest,
  functionUrlEvent,
  lattice1Event,
  lattice2Event,
  restApiEvent,
  type ToEvent,
} from '../support/lambda/events/events.ts'

function normalize(event: object): NormalizedEvent {
  const request = recognizeEvent(event)
  if (!request) return expect.unreachable('the event is not recognized')
  return normalizeEvent(request)
}

const normalized = (toEvent: ToEvent, request: EventRequest = {}) => normalize(toEvent(request))

describe.each(EVENTS)('an event of %s', (_name, toEvent) => {
  test('is a request: method, path, headers and body', () => {
    const event = toEvent({ method: 'PUT', path: '/v1/x', headers: { 'user-agent': 'me' }, body: '{"a":1}' })
    const { path, headers, body, isBase64Encoded, requestContext } = normalize(event)
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
    const bareOf = (headers: object = {}) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'user-agent'))
    const multiValueHeaders = event.multiValueHeaders && bareOf(event.multiValueHeaders)
    const withoutUserAgent = normalize({
      ...event,
      headers: bareOf(event.headers),
      ...(multiValueHeaders && { multiValueHeaders }),
    })
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
    ['a REST API', restApiEvent],
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
  ])('of a load balancer and of VPC Lattice with %j is %s', (forwardedFor, expected) => {
    const headers = { 'x-forwarded-for': forwardedFor }
    for (const toEvent of [albEvent, albMultiValueEvent, lattice1Event, lattice2Event])
      expect(normalized(toEvent, { headers }).requestContext.http.sourceIp).toBe(expected)
  })

  test.each([
    ['2001:DB8:0:0:0:0:0:7', '2001:db8::7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['test-invoke-source-ip', '0.0.0.0'],
  ])('that AWS names as %j is %s', (sourceIp, expected) => {
    const event = apiGatewayEvent({}) as { requestContext: { http: object } }
    const http = { ...event.requestContext.http, sourceIp }
    const named = { ...event, requestContext: { ...event.requestContext, http } }
    expect(normalize(named).requestContext.http.sourceIp).toBe(expected)
    const rest = restApiEvent({}) as { requestContext: { identity: object } }
    const identity = { ...rest.requestContext.identity, sourceIp }
    const restNamed = { ...rest, requestContext: { ...rest.requestContext, identity } }
    expect(normalize(restNamed).requestContext.http.sourceIp).toBe(expected)
  })

  const SEVERAL = ['198.51.100.66', '203.0.113.9']
  test.each([
    ['a load balancer', albMultiValueEvent, 'multiValueHeaders'],
    ['VPC Lattice', lattice2Event, 'headers'],
  ] as const)('of %s is the last entry of several X-Forwarded-For headers', (_name, toEvent, member) => {
    const event = toEvent({}) as Record<string, object>
    const { requestContext, headers } = normalize({
      ...event,
      [member]: { ...event[member], 'x-forwarded-for': SEVERAL },
    })
    expect(requestContext.http.sourceIp).toBe('203.0.113.9')
    expect(headers['x-forwarded-for']).toBe('198.51.100.66, 203.0.113.9')
  })
})

describe('the id of a request', () => {
  test('is the one that API Gateway and function URLs name', () => {
    expect(normalized(restApiEvent).requestContext.requestId).toBe('c6af9ac6-7b61-11e6-9a41-93e8deadbeef')
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
    // a caller can send this header to VPC Lattice
    expect(normalized(lattice2Event, { headers }).requestContext.requestId).toBeUndefined()
  })
})

test('the name of a stage is told by API Gateway alone, and $default is none', () => {
  expect(normalized(restApiEvent)).toMatchObject({ path: '/v1/tokens', stage: 'prod' })
  const event = apiGatewayEvent({ path: '/prod/v1/tokens' }) as { requestContext: object }
  const staged = { ...event, requestContext: { ...event.requestContext, stage: 'prod' } }
  expect(normalize(staged)).toMatchObject({ path: '/prod/v1/tokens', stage: 'prod' })
  for (const toEvent of [apiGatewayEvent, functionUrlEvent, albEvent, lattice2Event])
    expect(normalized(toEvent).stage).toBeUndefined()
})

test('the query that VPC Lattice leaves in the path is dropped', () => {
  for (const toEvent of [lattice1Event, lattice2Event])
    expect(normalized(toEvent, { path: '/v1/databases?a=%2F..&b' }).path).toBe('/v1/databases')
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
