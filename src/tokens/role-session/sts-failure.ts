import { commonCause } from '../../aws/error-causes.ts'
import { awsErrorFacts } from '../../aws/error-facts.ts'
import { explainAwsError, explainWith } from '../../aws/errors.ts'
import { JetonError } from '../../errors.ts'
import { findRefusal, type RoleRefusal } from './sts-refusals.ts'

const RETRY_AFTER_MS = 5000
const UNKNOWN_REFUSAL = "look the error up in STS's documentation, and check the role's trust policy"
const NO_CREDENTIALS =
  "the AWS SDK cannot get jeton's own credentials: check its profile, or the role of its pod, and what that says of sessions"

/**
 * A failure of what this process runs with: its credentials, its clock, its settings. It says nothing about the role, and no
 * other instance need have it.
 */
export class OwnFailure extends JetonError {}

/**
 * Returns `role_refused`, without `Retry-After`, if STS refuses this role and an operator must act on it or on jeton's
 * permissions; an `OwnFailure` for jeton's own credentials, clock and settings; and `temporarily_unavailable` for any other
 * (throttling, timeouts, outages, the network). A refusal because of what jeton's own session brings along is an `OwnFailure`
 * too. The reason has the name and request id of AWS's error, the remedy, and AWS's message if that is of a kind without secrets.
 */
export function stsFailure(cause: unknown, roleArn: string): JetonError {
  const refusal = findRefusal(cause)
  if (refusal !== undefined) return refusedRole(roleArn, { cause, ...refusal })
  const common = commonCause(cause)
  const description = explainWith(cause, common?.remedy)
  if (common?.fault === 'own') return ownFailure(roleArn, description)
  if (common === undefined && isRefusal(cause))
    return refusedRole(roleArn, { cause, remedy: UNKNOWN_REFUSAL, isOwn: false })
  return roleFailure('temporarily_unavailable', { roleArn, description })
}

/** Returns the failure to get jeton's own credentials, whatever the SDK met: it may assume a role of its own for them. */
export function credentialsFailure(cause: unknown, roleArn: string): OwnFailure {
  const isKnown = commonCause(cause) !== undefined
  return ownFailure(roleArn, isKnown ? explainAwsError(cause) : explainWith(cause, NO_CREDENTIALS))
}

function isRefusal(cause: unknown): boolean {
  const { status = 0 } = awsErrorFacts(cause)
  return status >= 400 && status < 500
}

function refusedRole(
  roleArn: string,
  { cause, remedy, isOwn }: RoleRefusal & { cause: unknown },
): JetonError {
  const Failure = isOwn ? OwnFailure : JetonError
  return new Failure('role_refused', refusalTexts(roleArn, explainWith(cause, remedy)))
}

function refusalTexts(roleArn: string, description: string) {
  return {
    publicMessage: 'AWS refuses the role of this database; the operator of jeton must act',
    reason: `STS refuses ${roleArn}: ${description}`,
  }
}

function ownFailure(roleArn: string, description: string): OwnFailure {
  return new OwnFailure('temporarily_unavailable', {
    publicMessage: "jeton's own access to AWS does not work; its operator must act",
    reason: `jeton itself cannot use STS, for ${roleArn} or any other role: ${description}`,
    retryAfterMs: RETRY_AFTER_MS,
  })
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
  if (code === 'role_refused') return new JetonError(code, refusalTexts(roleArn, description))
  return new JetonError(code, {
    publicMessage: 'AWS STS cannot be reached; try again',
    reason: `STS returned no session of ${roleArn}: ${description}`,
    retryAfterMs: RETRY_AFTER_MS,
  })
}
