import request, { type Response } from 'supertest'
import { expect } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { type ErrorCode, STATUS } from '../../src/errors.ts'
import type { TestApi } from '../support/service/app.ts'

export interface TokenRequestOptions {
  authorization?: string | undefined
  /** An object is sent as JSON; text as it is, with `type`. */
  body?: object | string | undefined
  type?: string
  headers?: Record<string, string>
}

/** `POST /v1/tokens`, for orders unless another body is given. */
export function requestToken({ url }: Pick<TestApi, 'url'>, options: TokenRequestOptions = {}) {
  const { authorization, body = { database: 'orders' }, type = 'application/json', headers = {} } = options
  const post = request(url).post('/v1/tokens').set('content-type', type).set(headers)
  if (authorization !== undefined) post.set('authorization', authorization)
  return post.send(body)
}

/** What tells a caller without a grant who it is, and which record says why. */
const CALLER_MEMBERS = {
  principal: { issuer: expect.any(String), subject: expect.any(String) },
  auditId: expect.stringMatching(/^[0-9a-f-]{36}$/),
}

/** Expects a problem (RFC 9457) with exactly the members of docs/http.md. */
export function expectProblem(reply: Response, code: ErrorCode): void {
  const status = STATUS[code]
  expect({ status: reply.status, ...reply.body }).toEqual({
    type: `urn:jeton:problem:${code}`,
    code,
    status,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(/./),
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    ...(code === 'access_denied' && CALLER_MEMBERS),
  })
  expect(reply.headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': reply.body.requestId })
  expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect('www-authenticate' in reply.headers).toBe(status === 401)
}

/** Expects a problem and exactly one record of it; returns the record. */
export function expectRefusal({ records }: TestApi, reply: Response, code: ErrorCode): AuditRecord {
  expectProblem(reply, code)
  const own = records.filter(({ requestId }) => requestId === reply.body.requestId)
  expect(own).toEqual([
    expect.objectContaining({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      decision: STATUS[code] < 500 ? 'refused' : 'failed',
      code,
      reason: expect.stringMatching(/./),
      sourceIp: '127.0.0.1',
      instance: 'test/1',
    }),
  ])
  const [record] = own
  if (!record) throw new Error('the refusal has no record')
  if (code === 'access_denied') {
    const { issuer, subject } = record.principal ?? {}
    expect(reply.body).toMatchObject({ auditId: record.id, principal: { issuer, subject } })
  }
  return record
}
