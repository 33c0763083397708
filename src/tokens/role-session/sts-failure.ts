import { awsErrorFacts, describeAwsError } from '../../aws/errors.ts'
import { JetonError } from '../../errors.ts'

/** Errors of STS that pass by themselves, though some come with a 4xx. */
const PASSING = new Set([
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
const COME_BACK_MS = 5000

/**
 * Tells an operator's mistake (`role_refused`: trust, permission, external id, a policy; nothing to wait for) from what
 * passes by itself (`temporarily_unavailable`: throttling, timeouts, outages, our own credentials not to be had).
 * Gives the name and the request id of AWS's error and never its message: STS quotes canonical requests, with their
 * session tokens, in some of them.
 */
export function stsFailure(cause: unknown, roleArn: string): JetonError {
  const { name, status } = awsErrorFacts(cause)
  const told = describeAwsError(cause)
  const refused =
    status !== undefined && status >= 400 && status < 500 && status !== 429 && !PASSING.has(name)
  if (refused)
    return new JetonError('role_refused', {
      publicMessage: 'AWS refuses the role of this database; the operator of jeton must act',
      reason: `STS refuses ${roleArn}: ${told}; check the role's trust policy, its external id and sts:AssumeRole of jeton's own role`,
    })
  return new JetonError('temporarily_unavailable', {
    publicMessage: 'AWS STS cannot be reached; try again',
    reason: `STS did not answer for ${roleArn}: ${told}`,
    retryAfterMs: COME_BACK_MS,
  })
}
