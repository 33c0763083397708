import { describe, expect, test } from 'vitest'
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
  WARM_UPS,
} from '../support/lambda/events/events.ts'
import { CLAIMS } from '../support/service/test-environment.ts'
import { useFunction } from './functions.ts'

const {
  environment,
  lambda,
  configure,
  startFunction,
  bearer,
  requestToken,
  invoke,
  records,
  newestRecord,
  expectLogged,
} = useFunction()
const FORGED = { 'x-forwarded-for': '198.51.100.66', 'x-request-id': 'chosen' }

describe.each(EVENTS)('the function behind %s', (_name, toEvent) => {
  test('vends a token, records the caller, and gives the next caller the same token', async () => {
    await configure()
    await startFunction()
    const reply = await requestToken({
      toEvent,
      headers: { ...FORGED, 'x-forwarded-for': '198.51.100.66, 203.0.113.7' },
    })
    expect([reply.statusCode, reply.isBase64Encoded]).toEqual([200, false])
    expect(reply.json).toMatchObject({ database: 'orders', user: 'migrator', cached: false })
    const record = await newestRecord(1)
    expect(record).toMatchObject({
      decision: 'vended',
      id: reply.json.auditId,
      fingerprint: reply.json.fingerprint,
      sourceIp: '203.0.113.7',
      userAgent: 'jeton/0.1.0',
      instance: 'jeton/2026/11/23/[$LATEST]0123456789abcdef',
      principal: { claims: CLAIMS },
    })
    expect(record.requestId).toBe(reply.headers?.['x-request-id'])
    expect([record.requestId, record.id]).not.toContain('chosen')
    // VPC Lattice names none, so jeton makes one
    if ([lattice1Event, lattice2Event].includes(toEvent)) expect(record.requestId).toMatch(/^[\da-f-]{36}$/)
    else expect(JSON.stringify(toEvent({}))).toContain(record.requestId)

    const next = await requestToken({ toEvent, isBase64Encoded: true })
    expect(next.json).toMatchObject({ cached: true, token: reply.json.token })
    expect((await newestRecord(2)).id).not.toBe(record.id)
    expect(environment().sts.calls).toHaveLength(1)
  })

  test('refuses with the right code, and has written the record before it freezes', async () => {
    await configure()
    await startFunction()
    const refusals = [
      await requestToken({ toEvent, authorization: 'Bearer x' }),
      await requestToken({ toEvent, authorization: await bearer({ repository: 'else/where' }) }),
      await requestToken({ toEvent, body: '{"database":7}' }),
      await requestToken({ toEvent, body: 'x'.repeat(20_000) }),
      await requestToken({ toEvent, headers: { 'content-type': 'text/plain' } }),
    ]
    expect(refusals.map(({ statusCode, json }) => [statusCode, json.code])).toEqual([
      [401, 'unauthenticated'],
      [403, 'access_denied'],
      [400, 'invalid_request'],
      [413, 'payload_too_large'],
      [415, 'unsupported_media_type'],
    ])
    await newestRecord(5)
    expect(records().map(({ code, requestId }) => [code, requestId])).toEqual(
      refusals.map(({ json }) => [json.code, json.requestId]),
    )
    const unknownPath = await requestToken({ toEvent, path: '/v1/nothing' })
    expect([unknownPath.statusCode, unknownPath.json.code]).toEqual([404, 'not_found'])
  })

  test('returns text bodies unchanged: certificates, the OpenAPI description', async () => {
    await configure()
    await startFunction()
    const pem = await invoke(toEvent, { method: 'GET', path: '/v1/ca/us-east-1.pem' })
    expect(pem.body).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
    expect(pem.headers?.['content-type']).toBe('application/pem-certificate-chain')
    const headers = { 'if-none-match': pem.headers?.etag ?? '' }
    const notModified = await invoke(toEvent, { method: 'GET', path: '/v1/ca/us-east-1.pem', headers })
    expect(notModified).toMatchObject({ statusCode: 304, body: '' })
    const described = await invoke(toEvent, { method: 'GET', path: '/openapi.json' })
    expect(Object.keys(described.json.paths as object)).toContain('/v1/tokens')
  })
})

test('a reply has multi-value headers only if the event had', async () => {
  await configure()
  await startFunction()
  const request = { method: 'GET', path: '/healthz' }
  const multiValue = await invoke(albMultiValueEvent, request)
  expect(multiValue.multiValueHeaders?.['cache-control']).toEqual(['no-store'])
  for (const toEvent of [
    albEvent,
    apiGatewayEvent,
    restApiEvent,
    functionUrlEvent,
    lattice1Event,
    lattice2Event,
  ])
    expect(await invoke(toEvent, request)).not.toHaveProperty('multiValueHeaders')
})

describe('the path of a request', () => {
  const answers = async (path: string, behind: string) => {
    const event = eventBehind(behind, apiGatewayEvent({ method: 'GET', path }))
    return (await lambda().invoke(event)).statusCode
  }

  test('may have a stage and the base path in front of it', async () => {
    await configure()
    await startFunction({ JETON_BASE_PATH: 'jeton/' })
    const paths = [
      '/jeton/healthz',
      '/prod/jeton/healthz',
      '/prod/healthz',
      '/healthz',
      '/jeton',
      '/other/healthz',
    ]
    const statuses = []
    for (const path of paths) statuses.push(await answers(path, 'prod'))
    expect(statuses).toEqual([200, 200, 200, 200, 404, 404])
    expect((await requestToken({ toEvent: restApiEvent, path: '/jeton/v1/tokens' })).json).toMatchObject({
      database: 'orders',
      cached: false,
    })
  })

  test('stays whole if the stage has the name of its first segment', async () => {
    await configure()
    await startFunction()
    for (const path of ['/v1/ca/us-east-1.pem', '/v1/v1/ca/us-east-1.pem'])
      expect(await answers(path, 'v1')).toBe(200)
  })

  test('cannot be decided with a base path that is none: 503, and the log says which variable', async () => {
    await configure()
    await startFunction({ JETON_BASE_PATH: 'https://api.example.com/jeton' })
    const { statusCode, json } = await requestToken()
    expect([statusCode, json.code]).toEqual([503, 'temporarily_unavailable'])
    await expectLogged('"problems":[{"path":"JETON_BASE_PATH","message":"must be the path')
  })
})

describe('an event that is no request', () => {
  test('but keeps the function warm is answered, and leaves nothing in the log', async () => {
    await configure()
    await startFunction()
    for (const [, event] of WARM_UPS)
      expect(await lambda().invoke(event)).toMatchObject({ statusCode: 200, body: '{"status":"warm"}' })
    expect(lambda().stderr.filter(line => !line.includes('store_not_shared'))).toEqual([])
    expect((await requestToken()).json).toMatchObject({ cached: false })
  })

  test('and that nobody knows is refused in a line, without a stack', async () => {
    await configure()
    await startFunction()
    const reply = await lambda().invoke({ Records: [{ eventSource: 'aws:sqs' }] })
    expect([reply.statusCode, JSON.parse(reply.body).code]).toEqual([400, 'invalid_request'])
    await expectLogged('"event":"event_not_recognized","members":["Records"]')
    expect(lambda().stderr.join('\n')).not.toContain('stack')
  })
})

test('logs and records contain no JWT, token or AWS secret', async () => {
  await configure()
  await startFunction()
  const authorization = await bearer()
  const { json } = await requestToken({ authorization })
  await requestToken({ authorization: `${authorization}x` })
  await newestRecord(2)
  const written = [...lambda().stdout, ...lambda().stderr].join('\n')
  const [, jwt = ''] = authorization.split(' ')
  for (const secret of [
    jwt,
    jwt.split('.')[2] ?? '',
    String(json.token),
    environment().sts.credentials.secretAccessKey,
  ])
    expect(written).not.toContain(secret)
})
