import { expect, test } from 'vitest'
import { recognizeEvent, wantsMultiValueHeaders } from '../../src/lambda/event-kind.ts'
import {
  albEvent,
  albMultiValueEvent,
  apiGatewayEvent,
  EVENTS,
  functionUrlEvent,
  lattice1Event,
  lattice2Event,
  restApiEvent,
  type ToEvent,
  WARM_UPS,
} from '../support/lambda/events/events.ts'

test.each<readonly [string, ToEvent]>([
  ['http-api', apiGatewayEvent],
  ['http-api', functionUrlEvent],
  ['rest-api', restApiEvent],
  ['load-balancer', albEvent],
  ['load-balancer', albMultiValueEvent],
  ['lattice-1', lattice1Event],
  ['lattice-2', lattice2Event],
])('recognizeEvent tells an event of the kind %s', (kind, toEvent) => {
  expect(recognizeEvent(toEvent({}))?.kind).toBe(kind)
})

test.each<readonly [string, unknown]>([
  ...WARM_UPS,
  ['text', 'text'],
  ['a list', [apiGatewayEvent({})]],
  ['a queue', { Records: [{ eventSource: 'aws:sqs' }] }],
  ['a WebSocket API', { requestContext: { eventType: 'CONNECT', identity: { sourceIp: '203.0.113.7' } } }],
  ['http that is none', { requestContext: { http: null, elb: 7, identity: 'x' }, httpMethod: 'GET' }],
])('recognizeEvent knows an event of %s as no request', (_name, event) => {
  expect(recognizeEvent(event)).toBeUndefined()
})

test('recognizeEvent refuses an event that two services could have sent', () => {
  for (const [name, toEvent] of EVENTS)
    for (const [other, toOther] of EVENTS) {
      const [one, two] = [toEvent({}), toOther({})] as { requestContext?: object }[]
      const kinds = [recognizeEvent(one)?.kind, recognizeEvent(two)?.kind]
      const both = { ...one, ...two, requestContext: { ...one?.requestContext, ...two?.requestContext } }
      const recognize = () => recognizeEvent(both)?.kind
      if (kinds[0] === kinds[1]) expect(recognize(), `${name} and ${other}`).toBe(kinds[0])
      else
        expect(recognize, `${name} and ${other}`).toThrow(
          expect.objectContaining({ code: 'invalid_request' }),
        )
    }
})

test('only a load balancer that sends lists wants lists', () => {
  const wanting = EVENTS.filter(([, toEvent]) => {
    const request = recognizeEvent(toEvent({}))
    return request && wantsMultiValueHeaders(request)
  })
  expect(wanting.map(([name]) => name)).toEqual(['a load balancer with multi-value headers'])
})
