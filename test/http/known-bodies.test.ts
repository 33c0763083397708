import { expect, test } from 'vitest'
import { createKnownBodies } from '../../src/http/known-bodies.ts'
import type { TokenRequest } from '../../src/http/schemas.ts'
import { validate } from '../../src/http/validator.ts'
import { startApi } from '../support/service/app.ts'
import { requestToken } from './support.ts'

/** Counts what is validated. */
function countedValidate() {
  const seen: unknown[] = []
  const counted = (body: unknown): body is TokenRequest => {
    seen.push(body)
    const isValid = validate(body)
    counted.errors = validate.errors ?? []
    return isValid
  }
  counted.errors = [] as NonNullable<typeof validate.errors>
  return { seen, counted }
}

/** Returns what a request with this text is given as its body, as the app parses and validates it. */
function takeBody(text: string, { bodies, check }: ReturnType<typeof start>) {
  const known = bodies.find(text)
  const body: unknown = known ?? JSON.parse(text)
  if (!known) bodies.note(text, body)
  return { body, result: check(body) }
}

function start() {
  const bodies = createKnownBodies()
  const { seen, counted } = countedValidate()
  return { bodies, check: bodies.validateOnce(counted), seen }
}

test('a text that has passed its schema is one frozen body from then on, and is validated once', () => {
  const parts = start()
  const first = takeBody('{"database":"orders"}', parts)
  const second = takeBody('{"database":"orders"}', parts)
  expect(second).toEqual({ body: { database: 'orders' }, result: true })
  expect(second.body).toBe(first.body)
  expect(parts.seen).toHaveLength(1)
  expect(() => Object.assign(second.body as object, { database: 'payroll' })).toThrow(TypeError)
  expect(takeBody('{ "database": "orders" }', parts).body).not.toBe(first.body)
})

test('a text that has not passed its schema stays unknown', () => {
  const parts = start()
  for (const text of [
    '{"database":7}',
    '{"database":"orders","force":true}',
    '[]',
    '"orders"',
    'null',
    '7',
  ]) {
    const { result } = takeBody(text, parts)
    expect(result).toMatchObject({ error: { code: 'invalid_request' } })
    expect(parts.bodies.find(text)).toBeUndefined()
  }
})

test('what has passed one schema is known, but has not passed another', () => {
  const parts = start()
  takeBody('{"database":"orders"}', parts)
  const refuseAll = Object.assign((_body: unknown): _body is object => false, { errors: [] })
  const other = parts.bodies.validateOnce(refuseAll)
  expect(other(parts.bodies.find('{"database":"orders"}'))).toHaveProperty('error')
})

test('long texts are not remembered, and of the others the last thousand', () => {
  const parts = start()
  const text = (i: number) => `{"database":"orders-${i}"}`
  const long = JSON.stringify({ database: 'orders' }).padEnd(257)
  takeBody(long, parts)
  for (let i = 0; i <= 1000; i++) takeBody(text(i), parts)
  expect([long, text(0), text(1), text(1000)].map(known => parts.bodies.find(known) !== undefined)).toEqual([
    false,
    false,
    true,
    true,
  ])
})

test('a body that one caller may ask with is decided anew for another', async () => {
  const api = await startApi()
  const body = '{"database":"orders"}'
  const granted = await api.bearer()
  const other = await api.bearer({ repository_id: '666' })
  const statuses: number[] = []
  for (const authorization of [granted, other, 'Bearer nonsense', granted])
    statuses.push((await requestToken(api, { authorization, body })).status)
  expect(statuses).toEqual([200, 403, 401, 200])
})

test('a text with a member twice, or another prototype, is refused each time', async () => {
  const api = await startApi()
  const authorization = await api.bearer()
  await requestToken(api, { authorization, body: '{"database":"orders"}' })
  for (const body of [
    '{"database":"public","database":"orders"}',
    '{"database":"orders","__proto__":{"caPem":true}}',
    '{"database":"public","database":"orders"}',
  ])
    expect((await requestToken(api, { authorization, body })).status).toBe(400)
})
