import { describe, expect, test } from 'vitest'
import { stsFailure } from '../../../src/tokens/role-session/sts-failure.ts'

const ROLE = 'arn:aws:iam::123456789012:role/jeton-orders'

function awsError(name: string, httpStatusCode?: number): Error {
  const error = new Error('canonical request with a session token')
  error.name = name
  return Object.assign(error, { $metadata: { httpStatusCode, requestId: 'req-1' } })
}

describe('stsFailure', () => {
  test.each([
    ['AccessDenied', 403],
    ['ValidationError', 400],
    ['MalformedPolicyDocument', 400],
  ])('is role_refused without Retry-After for %s (%i): an operator must act', (name, status) => {
    const failure = stsFailure(awsError(name, status), ROLE)
    expect([failure.code, failure.retryAfterMs]).toEqual(['role_refused', undefined])
  })

  test.each([
    ['Throttling', 400],
    ['ExpiredToken', 403],
    ['AnyName', 429],
    ['InternalFailure', 500],
    ['TimeoutError', undefined],
  ])('is temporarily_unavailable for %s (%s): it passes by itself', (name, status) => {
    const failure = stsFailure(awsError(name, status), ROLE)
    expect([failure.code, failure.retryAfterMs]).toEqual(['temporarily_unavailable', 5000])
  })

  test('is temporarily_unavailable for anything that is not an error of AWS', () => {
    expect(stsFailure('text', ROLE).code).toBe('temporarily_unavailable')
  })

  test.each([403, 500])('names role, error and request of a %i, and never quotes the message', status => {
    const { reason, publicMessage } = stsFailure(awsError('SomeError', status), ROLE)
    for (const part of [ROLE, 'SomeError', 'req-1']) expect(reason).toContain(part)
    expect(`${reason} ${publicMessage}`).not.toContain('canonical')
    expect(publicMessage).not.toContain(ROLE)
  })
})
