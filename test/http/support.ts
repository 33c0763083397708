import request, { type Response } from 'supertest'
import { expect } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { type ErrorCode, STATUS } from '../../src/errors.ts'
import type { AppWorld } from '../support/service/app.ts'

export interface Ask {
  authorization?: string | undefined
  /** An object is sent as JSON; text as it is, with `type`. */
  body?: object | string | undefined
  type?: string
  headers?: Record<string, string>
}

/** `POST /v1/tokens`, for orders unless another body is given. */
export function askToken({ url }: Pick<AppWorld, 'url'>, ask: Ask = {}) {
  const { authorization, body = { database: 'orders' }, type = 'application/json', headers = {} } = ask
  const post = request(url).post('/v1/tokens').set('content-type', type).set(headers)
  if (authorization !== undefined) post.set('authorization', authorization)
  return post.send(body)
}

/** A reply that is a problem as RFC 9457 has it, and nothing more than the contract's members. */
export function expectProblem(reply: Response, code: ErrorCode): void {
  const status = STATUS[code]
  expect({ status: reply.status, ...reply.body }).toEqual({
    type: 'about:blank',
    code,
    status,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(/./),
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  expect(reply.headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': reply.body.requestId })
  expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect('www-authenticate' in reply.headers).toBe(status === 401)
}

/** A problem, and the one record that tells the operator of it. Gives the record. */
export function expectRefusal({ records }: AppWorld, reply: Response, code: ErrorCode): AuditRecord {
  expectProblem(reply, code)
  const told = records.filter(({ requestId }) => requestId === reply.body.requestId)
  expect(told).toEqual([
    expect.objectContaining({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      decision: STATUS[code] < 500 ? 'refused' : 'failed',
      code,
      reason: expect.stringMatching(/./),
      sourceIp: '127.0.0.1',
      instance: 'test/1',
    }),
  ])
  const [record] = told
  if (!record) throw new Error('there is no record')
  return record
}
