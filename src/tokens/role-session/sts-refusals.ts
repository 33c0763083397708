import { missingFrom, parseDenial, policyRemedy } from '../../aws/denial.ts'
import { awsErrorFacts } from '../../aws/error-facts.ts'

const NOT_ALLOWED_SOMEWHERE =
  "the role must exist; its trust policy must allow this user, session name and external id (jeton iam DATABASE), and jeton's own role sts:AssumeRole on it (jeton iam)"
const NOT_ALLOWED_HERE = "jeton's own role lacks the permission on this role: deploy what jeton iam prints"
const NOT_TRUSTED =
  "the role's trust policy must allow this user, session name and external id: deploy what jeton iam DATABASE prints"
const MISSING = { caller: NOT_ALLOWED_HERE, resource: NOT_TRUSTED, either: NOT_ALLOWED_SOMEWHERE }

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

/** Why STS refuses a role, and whether that lies in this instance's own session, so that others may be let in. */
export interface RoleRefusal {
  readonly remedy: string
  readonly isOwn: boolean
}

/** Returns why STS refuses to let a role be assumed; undefined if it does not refuse the role, but fails. */
export function findRefusal(cause: unknown): RoleRefusal | undefined {
  const name = awsErrorFacts(cause).name.replace(/Exception$/, '')
  if (name === 'AccessDenied') return denialRefusal(cause)
  const remedy = REFUSALS.get(name)
  return remedy === undefined ? undefined : { remedy, isOwn: false }
}

function denialRefusal(cause: unknown): RoleRefusal {
  const denial = parseDenial(cause)
  const inherited = INHERITED.get(denial?.action ?? '')
  const missing = denial === undefined ? 'either' : missingFrom(denial)
  const remedy = missing ? (inherited ?? MISSING[missing]) : policyRemedy(cause)
  return { remedy: remedy ?? NOT_ALLOWED_SOMEWHERE, isOwn: inherited !== undefined }
}
