import type { Context } from 'aws-lambda'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SentEvent } from '../../src/lambda/event-kind.ts'
import { createHandler } from '../../src/lambda/handler.ts'
import { isJsonObject, type JsonObject } from '../../src/lib/json.ts'
import type { Service } from '../../src/service.ts'
import { EVENTS, WARM_UPS } from '../support/lambda/events/events.ts'
import { startApi } from '../support/service/app.ts'
import { createLogRecorder, eventsOf } from '../support/service/log-recorder.ts'

const RUNS = 3000
/** What may go wrong in paths, among them what a base path and a stage may be cut off from. */
const PATH = fc
  .array(
    fc.constantFrom(
      '/',
      '//',
      'jeton',
      'prod',
      'v1',
      'tokens',
      '..',
      '.',
      '%2e',
      '%2F',
      '\\',
      '?',
      '#',
      'é',
      ' ',
    ),
    { maxLength: 8 },
  )
  .map(parts => parts.join(''))
const VALUE = fc.oneof(PATH, fc.jsonValue({ maxDepth: 2 }))
const MEMBERS = [
  ...new Set(
    EVENTS.flatMap(([, toEvent]) => {
      const event = toEvent({}) as JsonObject
      const { requestContext: context } = event
      return [...Object.keys(event), ...(isJsonObject(context) ? Object.keys(context) : [])]
    }),
  ),
]
const RECORDED = fc.constantFrom<JsonObject>(
  ...EVENTS.map(([, toEvent]) => toEvent({ body: '{"database":"orders"}' }) as JsonObject),
  ...WARM_UPS.map(([, event]) => (event ?? {}) as JsonObject),
)
const CHANGES = fc.dictionary(fc.constantFrom(...MEMBERS), VALUE, { maxKeys: 4 })

/** Events of each kind, members of two, some replaced by anything. */
const EVENT = fc
  .record({ one: RECORDED, two: RECORDED, isMixed: fc.boolean(), over: CHANGES, context: CHANGES })
  .map(({ one, two, isMixed, over, context }) => {
    const contexts = [one.requestContext, ...(isMixed ? [two.requestContext] : []), context]
    const requestContext = Object.assign({}, ...contexts.filter(isJsonObject))
    const hasContext = 'requestContext' in one || Object.keys(context).length > 0
    return { ...one, ...(isMixed && two), ...(hasContext && { requestContext }), ...over }
  })

test('no event makes the function reject, fail, or reply in a shape that no service takes', async () => {
  const { app } = await startApi()
  const log = createLogRecorder()
  const service = { app, drain: async () => {} } as unknown as Service
  const handler = createHandler({
    executionEnvironment: { getService: async () => service },
    basePath: '/jeton',
    log,
  })
  const statuses = new Set<number>()
  await fc.assert(
    fc.asyncProperty(EVENT, async event => {
      const reply = await handler(event as SentEvent, {} as Context)
      statuses.add(reply.statusCode)
      expect(reply.statusCode).toBeLessThan(500)
      expect([typeof reply.body, reply.isBase64Encoded]).toEqual(['string', false])
      for (const value of Object.values(reply.headers ?? {})) expect(value).toBeTypeOf('string')
      expect(reply.headers?.['x-content-type-options'] ?? reply.headers?.['cache-control']).toBeDefined()
    }),
    { numRuns: RUNS, seed: 7 },
  )
  expect([...new Set(eventsOf(log))]).toEqual(['event_not_recognized'])
  // all kinds of replies were met, so the events are not all refused at the door
  expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 400, 401, 404]))
}, 60_000)
