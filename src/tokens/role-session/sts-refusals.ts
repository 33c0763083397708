import { awsErrorFacts } from '../../aws/error-facts.ts'
import { type Denial, parseDenial } from '../../aws/error-messages.ts'

const NOT_ALLOWED =
  "the role must exist; its trust policy must allow this user, session name and external id (jeton iam DATABASE), and jeton's own role sts:AssumeRole on it (jeton iam)"
const NOT_ALLOWED_HERE = "jeton's own role lacks the permission on this role: deploy what jeton iam prints"
const DENIED_EXPLICITLY =
  'a policy denies it explicitly, such as a service control policy or a permissions boundary: ask who manages the accounts'

/** What jeton's own session may bring along, by the action that must then be allowed twice. */
const INHERITED = new Map([
  [
    'sts:TagSession',
    "jeton's session has tags, as on EKS with Pod Identity: jeton's own role (jeton iam --runs-on eks) and the role's trust policy (jeton iam DATABASE) must both allow sts:TagSession",
  ],
  [
    'sts:SetSourceIdentity',
    "jeton's session has a source identity, as with IAM Roles Anywhere: jeton's own role (jeton iam --runs-on anywhere) and the role's trust policy (jeton iam DATABASE) must both allow sts:SetSourceIdentity",
  ],
])

const BAD_VALUE =
  'STS does not accept a value: check roleArn and externalId, and that sessions of the role may last an hour (MaxSessionDuration)'
const BAD_POLICY = 'STS does not accept the session policy that jeton makes for this database user: report it'
const TOO_LARGE =
  "the session policy and inherited session tags are too long together: on EKS, switch off the session tags of jeton's Pod Identity association"
const REGION_OFF =
  "STS is switched off in this region for the role's account: activate it there (IAM, account settings), or set AWS_REGION to another"

/**
 * By AWS's name of the error: with the suffix `Exception` or without, as services and SDKs have both.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors
 */
const REFUSALS = new Map([
  ['ValidationError', BAD_VALUE],
  ['Validation', BAD_VALUE],
  ['InvalidParameterValue', BAD_VALUE],
  ['MalformedPolicyDocument', BAD_POLICY],
  ['PackedPolicyTooLarge', TOO_LARGE],
  ['RegionDisabled', REGION_OFF],
])

/**
 * Returns what an operator does about a role that STS refuses to be assumed; undefined if the error is none of the role's. An
 * `AccessDenied` for another role is none: jeton gets its own credentials by assuming that.
 */
export function refusalRemedy(cause: unknown, roleArn: string): string | undefined {
  const name = awsErrorFacts(cause).name.replace(/Exception$/, '')
  if (name !== 'AccessDenied') return REFUSALS.get(name)
  const denial = parseDenial(cause)
  return isOwnRole(denial, roleArn) ? undefined : denialRemedy(denial)
}

/** Whether AWS refuses to let jeton have its own role. */
function isOwnRole(denial: Denial | undefined, roleArn: string): boolean {
  if (denial === undefined) return false
  const { action, resource = roleArn } = denial
  return action === 'sts:AssumeRoleWithWebIdentity' || resource !== roleArn
}

function denialRemedy(denial: Denial | undefined): string {
  if (denial?.why === 'denied explicitly') return DENIED_EXPLICITLY
  const inherited = INHERITED.get(denial?.action ?? '')
  if (inherited !== undefined) return inherited
  return denial?.why === 'caller lacks it' ? NOT_ALLOWED_HERE : NOT_ALLOWED
}
