import { commonCause } from '../../aws/error-causes.ts'
import { awsErrorFacts } from '../../aws/error-facts.ts'
import { explainAwsError } from '../../aws/errors.ts'
import { JetonError } from '../../errors.ts'
import { refusalRemedy } from './sts-refusals.ts'

const RETRY_AFTER_MS = 5000
const OWN_ROLE =
  "AWS refuses jeton its own role, that of its profile or pod: check that role's trust policy and the credentials before it"
const UNKNOWN_REFUSAL = "look the error up in STS's documentation, and check the role's trust policy"

/**
 * A failure of what this process runs with: its credentials, its clock, its settings. It says nothing about the role, and no
 * other instance need have it.
 */
export class OwnFailure extends JetonError {}

/**
 * Returns `role_refused`, without `Retry-After`, if STS refuses this role and an operator must act on it or on jeton's
 * permissions; an `OwnFailure` for jeton's own credentials, clock and settings; and `temporarily_unavailable` for any other
 * (throttling, timeouts, outages, the network). The reason has the name and request id of AWS's error, the remedy, and AWS's
 * message if that is of a kind without secrets.
 */
export function stsFailure(cause: unknown, roleArn: string): JetonError {
  const { name } = awsErrorFacts(cause)
  const explain = (remedy: string) => explainAwsError(cause, new Map([[name, remedy]]))
  const remedy = refusalRemedy(cause, roleArn)
  if (remedy !== undefined) return roleFailure('role_refused', { roleArn, description: explain(remedy) })
  const common = commonCause(cause)
  if (common?.fault === 'own') return ownFailure(roleArn, explain(common.remedy))
  if (common !== undefined)
    return roleFailure('temporarily_unavailable', { roleArn, description: explain(common.remedy) })
  if (/^AccessDenied/.test(name)) return ownFailure(roleArn, explain(OWN_ROLE))
  if (isRefusal(cause)) return roleFailure('role_refused', { roleArn, description: explain(UNKNOWN_REFUSAL) })
  return roleFailure('temporarily_unavailable', { roleArn, description: explainAwsError(cause) })
}

function isRefusal(cause: unknown): boolean {
  const { status = 0 } = awsErrorFacts(cause)
  return status >= 400 && status < 500
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
  if (code === 'role_refused')
    return new JetonError(code, {
      publicMessage: 'AWS refuses the role of this database; the operator of jeton must act',
      reason: `STS refuses ${roleArn}: ${description}`,
    })
  return new JetonError(code, {
    publicMessage: 'AWS STS cannot be reached; try again',
    reason: `STS returned no session of ${roleArn}: ${description}`,
    retryAfterMs: RETRY_AFTER_MS,
  })
}
