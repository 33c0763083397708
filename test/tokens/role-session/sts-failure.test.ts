import { describe, expect, test } from 'vitest'
import { credentialsFailure, OwnFailure, stsFailure } from '../../../src/tokens/role-session/sts-failure.ts'

const ROLE = 'arn:aws:iam::123456789012:role/jeton-orders'
const USER = 'arn:aws:sts::210987654321:assumed-role/jeton/pod-1'

function awsError(name: string, httpStatusCode?: number, message = 'canonical request with a session token') {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode, requestId: 'req-1' } })
}

const denied = (action: string, { resource = ROLE, why = '' } = {}) =>
  awsError(
    'AccessDenied',
    403,
    `User: ${USER} is not authorized to perform: ${action} on resource: ${resource}${why}`,
  )

describe('a role that STS refuses', () => {
  test.each<[string, Error, RegExp]>([
    ['a trust policy', denied('sts:AssumeRole'), /trust policy must allow this user.*jeton iam DATABASE/],
    [
      "jeton's own permissions",
      denied('sts:AssumeRole', {
        why: ' because no identity-based policy allows the sts:AssumeRole action',
      }),
      /jeton's own role lacks the permission.*what jeton iam prints/,
    ],
    [
      'a service control policy',
      denied('sts:AssumeRole', { why: ' with an explicit deny in a service control policy' }),
      /service control policy for jeton's account.* forbids sts:AssumeRole/,
    ],
    [
      'a permissions boundary',
      denied('sts:AssumeRole', {
        why: ' because no permissions boundary allows the sts:AssumeRole action',
      }),
      /; the permissions boundary of jeton's own role .* does not allow sts:AssumeRole;/,
    ],
    [
      'the way to AWS',
      denied('sts:AssumeRole', {
        why: ' because no VPC endpoint policy allows the sts:AssumeRole action',
      }),
      /; the policy of the VPC endpoint on the way to AWS does not allow sts:AssumeRole;/,
    ],
    [
      'a trust policy alone, as AWS says',
      denied('sts:AssumeRole', {
        why: ' because no resource-based policy allows the sts:AssumeRole action',
      }),
      /; the role's trust policy must allow this user, session name and external id: deploy/,
    ],
    [
      'session tags that a boundary does not allow',
      denied('sts:TagSession', {
        why: ' with an explicit deny in a permissions boundary',
      }),
      /permissions boundary of jeton's own role .* forbids sts:TagSession/,
    ],
    ['session tags', denied('sts:TagSession'), /Pod Identity.*--runs-on eks.*both allow sts:TagSession/],
    [
      'a source identity',
      denied('sts:SetSourceIdentity'),
      /Roles Anywhere.*--runs-on anywhere.*both allow sts:SetSourceIdentity/,
    ],
    ['an AccessDenied without a word', awsError('AccessDenied', 403), /trust policy must allow this user/],
    ['a session that is too long', awsError('ValidationError', 400), /MaxSessionDuration/],
    ['a policy', awsError('MalformedPolicyDocument', 400), /session policy/],
    ['too many tags', awsError('PackedPolicyTooLarge', 400), /switch off the session tags/],
    [
      'the same, as the SDK names it',
      awsError('PackedPolicyTooLargeException', 400),
      /switch off the session/,
    ],
    ['a region', awsError('RegionDisabledException', 403), /switched off in this region/],
    ['what nobody knows', awsError('SomethingNew', 400), /look the error up/],
  ])('because of %s is role_refused without Retry-After, and says what to do', (_why, cause, remedy) => {
    const { code, retryAfterMs, reason, publicMessage } = stsFailure(cause, ROLE)
    expect({ code, retryAfterMs }).toEqual({ code: 'role_refused', retryAfterMs: undefined })
    expect(reason).toMatch(new RegExp(`^STS refuses ${ROLE}: ${cause.name} \\(40[03]\\), request req-1; `))
    expect(reason).toMatch(remedy)
    expect(publicMessage).not.toContain(ROLE)
    // what an operator needs comes first: a record has 512 bytes of it
    expect(remedy.test(String(reason).slice(0, 512))).toBe(true)
  })

  test('is told with the message of AWS, which says who may not do what', () => {
    expect(stsFailure(denied('sts:TagSession'), ROLE).reason).toMatch(
      new RegExp(
        `; AWS says: User: ${USER} is not authorized to perform: sts:TagSession on resource: ${ROLE}$`,
      ),
    )
  })
})

describe("what is jeton's own fault", () => {
  test.each<[Error, RegExp]>([
    [awsError('InvalidClientTokenId', 403), /does not know the access key/],
    [awsError('SignatureDoesNotMatch', 403), /secret key/],
    [awsError('RequestExpired', 400), /NTP/],
    [awsError('ExpiredToken', 403), /have expired/],
    [awsError('OptInRequired', 403), /not activated/],
    [awsError('CredentialsProviderError'), /finds no AWS credentials/],
  ])('is temporarily_unavailable, and says nothing of the role: %s', (cause, remedy) => {
    const failure = stsFailure(cause, ROLE)
    expect(failure).toBeInstanceOf(OwnFailure)
    expect([failure.code, failure.retryAfterMs]).toEqual(['temporarily_unavailable', 5000])
    expect(failure.publicMessage).toBe("jeton's own access to AWS does not work; its operator must act")
    expect(failure.reason).toMatch(/^jeton itself cannot use STS/)
    expect(failure.reason).toMatch(remedy)
    expect(failure.reason).not.toContain('trust policy must allow')
  })

  // the role here is one that the SDK assumes, or does not, before jeton's call
  test.each<[Error, RegExp]>([
    [denied('sts:AssumeRole', { resource: 'arn:aws:iam::1:role/profile' }), /refuses jeton its own role/],
    [
      denied('sts:AssumeRole', { why: ' with an explicit deny in a service control policy' }),
      /service control policy for jeton's account/,
    ],
    [
      awsError('AccessDenied', 403, 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
      /web identity/,
    ],
    [
      awsError(
        'ValidationError',
        400,
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
      ),
      /cannot get jeton's own credentials: check its profile.*1 hour session limit/,
    ],
    [awsError('RegionDisabledException', 403), /cannot get jeton's own credentials/],
    [awsError('CredentialsProviderError'), /finds no AWS credentials/],
    [awsError('Throttling', 400), /throttles/],
  ])('is what its own credentials cannot be had for: %s', (cause, remedy) => {
    const failure = credentialsFailure(cause, ROLE)
    expect(failure).toBeInstanceOf(OwnFailure)
    expect(failure.code).toBe('temporarily_unavailable')
    expect(failure.reason).toMatch(/^jeton itself cannot use STS/)
    expect(failure.reason).toMatch(remedy)
    expect(failure.reason).not.toMatch(/jeton iam|externalId/)
  })
})

test.each(['sts:TagSession', 'sts:SetSourceIdentity'])(
  '%s is refused to this instance alone, because its session brings something along',
  action => {
    expect(stsFailure(denied(action), ROLE)).toBeInstanceOf(OwnFailure)
    expect(stsFailure(denied('sts:AssumeRole'), ROLE)).not.toBeInstanceOf(OwnFailure)
  },
)

describe('what passes, or is on the way', () => {
  test.each<[string, number | undefined, RegExp]>([
    ['Throttling', 400, /throttles/],
    ['AnyName', 429, /throttles/],
    ['InternalFailure', 500, /AWS fails/],
    ['TimeoutError', undefined, /no reply came in time/],
    ['ECONNREFUSED', undefined, /cannot be reached/],
  ])('is temporarily_unavailable for %s (%s)', (name, status, remedy) => {
    const failure = stsFailure(awsError(name, status), ROLE)
    expect(failure).not.toBeInstanceOf(OwnFailure)
    expect([failure.code, failure.retryAfterMs]).toEqual(['temporarily_unavailable', 5000])
    expect(failure.reason).toMatch(remedy)
  })

  test('is temporarily_unavailable if something else than AWS answers 403: a proxy is no refusal', () => {
    const cause = Object.assign(new Error('Unknown'), { name: 'Unknown', $metadata: { httpStatusCode: 403 } })
    const { code, reason } = stsFailure(cause, ROLE)
    expect(code).toBe('temporarily_unavailable')
    expect(reason).toMatch(/something else than AWS answered/)
  })

  test('is temporarily_unavailable for anything that is not an error of AWS', () => {
    expect(stsFailure('text', ROLE).code).toBe('temporarily_unavailable')
  })
})

test.each([403, 500])('a %i never quotes a message that may hold a secret', status => {
  const { reason, publicMessage } = stsFailure(awsError('SomeError', status), ROLE)
  for (const part of [ROLE, 'SomeError', 'req-1']) expect(reason).toContain(part)
  expect(`${reason} ${publicMessage}`).not.toContain('canonical')
})
