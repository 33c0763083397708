import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JetonError } from '../../../src/errors.ts'
import {
  failureAfter,
  failureError,
  isRoleFailureCode,
  markProbing,
  probingElsewhere,
  type RoleFailure,
  remainingBackoffMs,
} from '../../../src/tokens/role-session/failure-backoff.ts'

const NOW = 1_000_000
const GONE = new JetonError('temporarily_unavailable', {
  publicMessage: 'p',
  reason: 'r',
  retryAfterMs: 5000,
})
const FAILURE: RoleFailure = {
  failures: 3,
  retryAt: NOW + 4000,
  code: 'temporarily_unavailable',
}
const ROLE = 'arn:aws:iam::123456789012:role/jeton-orders'

describe('failureAfter', () => {
  const failureOf = (cause: unknown, previous: RoleFailure | undefined = undefined, random = 0.5) =>
    failureAfter(cause, { previous, now: NOW, random })

  test('backs off for 1 s first, and keeps what STS said', () => {
    expect(failureOf(GONE)).toEqual({
      failures: 1,
      retryAt: NOW + 1000,
      code: 'temporarily_unavailable',
      cause: GONE,
    })
  })

  test.each([
    [0, [800, 1600, 3200, 6400, 10_400, 10_400]],
    [0.5, [1000, 2000, 4000, 8000, 13_000, 13_000]],
    [1, [1200, 2400, 4800, 9600, 15_600, 15_600]],
  ])('doubles the back-off up to 13 s, jittered by a fifth (random %d)', (random, backoffs) => {
    let failure: RoleFailure | undefined
    const got = backoffs.map(() => {
      failure = failureOf(GONE, failure, random)
      return (failure?.retryAt ?? 0) - NOW
    })
    expect(got).toEqual(backoffs)
  })

  test('never backs off for longer than remainingBackoffMs believes, after however many failures', () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const failure = failureOf(GONE, { ...FAILURE, failures }, random)!
        expect(remainingBackoffMs(failure, NOW)).toBeGreaterThanOrEqual(800)
      }),
    )
  })

  test('counts to ten, after which the back-off grows no more', () => {
    expect(failureOf(GONE, { ...FAILURE, failures: 9 })?.failures).toBe(10)
    expect(failureOf(GONE, { ...FAILURE, failures: 10 })).toMatchObject({
      failures: 10,
      retryAt: NOW + 13_000,
    })
  })

  test('is undefined for an error that says nothing of the role', () => {
    expect(failureOf(new TypeError('a bug'))).toBeUndefined()
    expect(failureOf(new JetonError('throttled', { publicMessage: 'p' }))).toBeUndefined()
  })
})

test.each([
  ['role_refused', true],
  ['temporarily_unavailable', true],
  ['throttled', false],
  [undefined, false],
])('isRoleFailureCode says of %s: %s', (code, is) => {
  expect(isRoleFailureCode(code)).toBe(is)
})

test('markProbing reserves 15 s for the probe, and marks the failure as probed', () => {
  expect(markProbing(FAILURE, NOW)).toEqual({ ...FAILURE, retryAt: NOW + 15_000, isProbed: true })
})

test('probingElsewhere lets an instance look for the result after 1 s, or sooner if the back-off ends before', () => {
  expect(probingElsewhere(FAILURE, NOW)).toEqual({ ...FAILURE, retryAt: NOW + 1000 })
  expect(probingElsewhere({ ...FAILURE, retryAt: NOW + 300 }, NOW).retryAt).toBe(NOW + 300)
})

describe('remainingBackoffMs', () => {
  test.each([
    ['in force', 4000, 4000],
    ['over', -1, 0],
    ['just over', 0, 0],
    ['as long as a lease', 16_000, 16_000],
    ['longer than any can be, from a wrong clock or a forger', 16_001, 0],
  ])('of a back-off that is %s', (_is, forMs, leftMs) => {
    expect(remainingBackoffMs({ ...FAILURE, retryAt: NOW + forMs }, NOW)).toBe(leftMs)
  })
})

describe('failureError', () => {
  const errorOf = (failure: RoleFailure) => failureError(failure, { roleArn: ROLE, retryAfterMs: 700 })

  test('says what STS said, and what is left to wait', () => {
    expect(errorOf({ ...FAILURE, cause: GONE })).toMatchObject({
      code: 'temporarily_unavailable',
      reason: 'r',
      publicMessage: 'p',
      retryAfterMs: 700,
    })
    const cause = new JetonError('temporarily_unavailable', { publicMessage: 'no' })
    expect(errorOf({ ...FAILURE, cause })).toMatchObject({ reason: 'no', publicMessage: 'no' })
  })

  test.each([
    ['temporarily_unavailable', 'AWS STS cannot be reached; try again', `STS returned no session of ${ROLE}`],
    ['role_refused', 'AWS refuses the role of this database', `STS refuses ${ROLE}`],
  ] as const)('makes the texts of %s itself if another instance met the failure', (code, shown, recorded) => {
    const { publicMessage, reason } = errorOf({ ...FAILURE, code })
    expect(publicMessage).toContain(shown)
    expect(reason).toContain(`${recorded}: another instance met the failure, and its log says more`)
  })

  test('carries no Retry-After when AWS refuses the role: waiting does not help', () => {
    const refused = errorOf({ ...FAILURE, code: 'role_refused' })
    expect([refused.code, refused.retryAfterMs]).toEqual(['role_refused', undefined])
  })
})
