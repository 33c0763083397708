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
 * Returns `role_refused` for what an operator must mend (trust policy, permission, external id), without `Retry-After`, and
 * `temporarily_unavailable` for what passes by itself (throttling, timeouts, outages, no credentials for jeton itself).
 * The reason has the name and the request id of AWS's error and never its message: STS quotes canonical requests, with
 * their session tokens, in some of them.
 */
export function stsFailure(cause: unknown, roleArn: string): JetonError {
  const { name, status = 0 } = awsErrorFacts(cause)
  const description = describeAwsError(cause)
  const isRefused = status >= 400 && status < 500 && status !== 429 && !TRANSIENT.has(name)
  if (isRefused)
    return new JetonError('role_refused', {
      publicMessage: 'AWS refuses the role of this database; the operator of jeton must act',
      reason: `STS refuses ${roleArn}: ${description}; check the role's trust policy, its external id, and that jeton's own role allows sts:AssumeRole on it`,
    })
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS STS cannot be reached; try again',
    reason: `STS returned no session of ${roleArn}: ${description}; if this lasts, check that jeton can reach STS and has AWS credentials of its own`,
    retryAfterMs: RETRY_AFTER_MS,
  })
}
