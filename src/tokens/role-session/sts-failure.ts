import { awsErrorFacts, describeAwsError } from '../../aws/errors.ts'
import { JetonError } from '../../errors.ts'

/** Errors of STS that pass by themselves, though some come with a 4xx status. */
const TRANSIENT = new Set([
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'ExpiredToken',
  'ExpiredTokenException',
  'IDPCommunicationError',
  'InternalFailure',
  'ServiceUnavailable',
  'RequestExpired',
])
const RETRY_AFTER_MS = 5000

/**
 * Returns `role_refused`, without `Retry-After`, for an error that an operator must fix (trust policy, permission, external
 * id), and `temporarily_unavailable` for any other (throttling, timeouts, outages, no credentials for jeton itself). The
 * reason has the name and request id of AWS's error and never its message: some of STS's messages quote canonical requests,
 * with their session tokens.
 */
export function stsFailure(cause: unknown, roleArn: string): JetonError {
  const { name, status = 0 } = awsErrorFacts(cause)
  const description = describeAwsError(cause)
  const isRefused = status >= 400 && status < 500 && status !== 429 && !TRANSIENT.has(name)
  return roleFailure(isRefused ? 'role_refused' : 'temporarily_unavailable', { roleArn, description })
}

/**
 * Returns the error for a role that cannot be assumed. Its texts are made of the code and of this instance's own
 * configuration. Without a description of what STS said, the reason says that another instance met the failure.
 */
export function roleFailure(
  code: 'role_refused' | 'temporarily_unavailable',
  {
    roleArn,
    description = 'another instance met the failure, and its log says more (assume_role_failed)',
  }: { roleArn: string; description?: string },
): JetonError {
  if (code === 'role_refused')
    return new JetonError(code, {
      publicMessage: 'AWS refuses the role of this database; the operator of jeton must act',
      reason: `STS refuses ${roleArn}: ${description}; check the role's trust policy, its external id, and that jeton's own role allows sts:AssumeRole on it`,
    })
  return new JetonError(code, {
    publicMessage: 'AWS STS cannot be reached; try again',
    reason: `STS returned no session of ${roleArn}: ${description}; if this lasts, check that jeton can reach STS and has AWS credentials of its own`,
    retryAfterMs: RETRY_AFTER_MS,
  })
}
