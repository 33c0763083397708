/** No message that says who may not do what is longer. */
const MAX_LENGTH = 4000

/**
 * A kind of policy, as AWS calls it: `identity-based policy`, `permissions boundary`, `role trust policy`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export const POLICY_KIND = '[A-Za-z][A-Za-z -]{0,40}?(?:policy|boundary)'
const BY_POLICY = new RegExp(`(?:because no|explicit deny in (?:an?|the)) (${POLICY_KIND})`)

/** What AWS said that it does not allow. */
export interface Denial {
  readonly action: string
  /** What is not allowed to be touched; undefined if AWS does not say. */
  readonly resource: string | undefined
  /** The kind of policy that is the reason, in AWS's words; undefined if AWS does not say. */
  readonly policy: string | undefined
  /** Whether a policy forbids it, rather than none allowing it. */
  readonly isExplicit: boolean
}

/** Returns what a message of an `AccessDenied` says; undefined if it has another form. */
export function parseDenial(cause: unknown): Denial | undefined {
  if (!(cause instanceof Error)) return undefined
  const message = cause.message.slice(0, MAX_LENGTH)
  const action = /(?:not|Not) authorized to perform:? ([a-z0-9-]+:\w+)/.exec(message)?.[1]
  if (action === undefined) return undefined
  return {
    action,
    resource: / on resource: "?([!-~]+?)"?\.?(?= because | with an explicit |$)/.exec(message)?.[1],
    policy: BY_POLICY.exec(message)?.[1],
    isExplicit: message.includes('with an explicit deny'),
  }
}

const OWN_POLICY = 'identity-based policy'
const RESOURCE_POLICIES = ['resource-based policy', 'role trust policy']

/** Which policy AWS means by its words, and who can change it if that is not who runs jeton. */
const POLICIES = new Map([
  [OWN_POLICY, "a policy of jeton's own role"],
  ['permissions boundary', "the permissions boundary of jeton's own role (ask who set it)"],
  [
    'session policy',
    "the session policy that came with jeton's own credentials, as of a Roles Anywhere profile or a Pod Identity association,",
  ],
  [
    'service control policy',
    "a service control policy for jeton's account (ask who manages the organization)",
  ],
  [
    'resource control policy',
    'a resource control policy for the account of what is called (ask who manages the organization)',
  ],
  ['VPC endpoint policy', 'the policy of the VPC endpoint on the way to AWS'],
  ...RESOURCE_POLICIES.map(
    kind => [kind, "the policy of what is called (a role's, a key's, a bucket's)"] as const,
  ),
])

/**
 * Returns where a permission is merely missing: in the policies of jeton's own role, in the policy of what is called, or in
 * either; undefined if a policy forbids it, or one of a kind that bounds the others does not allow it.
 */
export function missingFrom({ policy, isExplicit }: Denial): 'caller' | 'resource' | 'either' | undefined {
  if (isExplicit) return undefined
  if (policy === undefined) return 'either'
  if (policy === OWN_POLICY) return 'caller'
  return RESOURCE_POLICIES.includes(policy) ? 'resource' : undefined
}

/** Returns what an operator does about a denial; undefined if only the service knows what jeton's own role needs. */
export function policyRemedy(cause: unknown): string | undefined {
  const denial = parseDenial(cause)
  if (!denial || ['caller', 'either'].includes(missingFrom(denial) ?? '')) return undefined
  const { action, policy, isExplicit } = denial
  if (policy === undefined)
    return `a policy forbids ${action}, such as a service control policy or a permissions boundary: ask who manages the accounts`
  return `${POLICIES.get(policy) ?? `a ${policy}`} ${isExplicit ? 'forbids' : 'does not allow'} ${action}`
}
