import type { PolicyStatement, PolicyText } from './role-policies.ts'

/**
 * What a role session may bring along when it assumes another role: transitive session tags, and a source identity. STS then
 * demands these permissions beside `sts:AssumeRole`, of the caller's own policy and of the other role's trust policy. They
 * allow nothing by themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
 */
export type SessionAction = 'sts:TagSession' | 'sts:SetSourceIdentity'

interface Platform {
  /** The service principal that assumes jeton's own role. */
  readonly service: string
  /** What the platform sets in jeton's own session, and what roles assumed from there inherit. */
  readonly sessionActions: readonly SessionAction[]
}

/**
 * The platforms that can run jeton.
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
 * https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
 */
const PLATFORMS = {
  lambda: { service: 'lambda.amazonaws.com', sessionActions: [] },
  ecs: { service: 'ecs-tasks.amazonaws.com', sessionActions: [] },
  ec2: { service: 'ec2.amazonaws.com', sessionActions: [] },
  // Pod Identity, whose six tags are all transitive
  eks: { service: 'pods.eks.amazonaws.com', sessionActions: ['sts:TagSession'] },
  anywhere: {
    service: 'rolesanywhere.amazonaws.com',
    sessionActions: ['sts:TagSession', 'sts:SetSourceIdentity'],
  },
} as const satisfies Record<string, Platform>

export type JetonPlatform = keyof typeof PLATFORMS

/** Returns what is inherited from jeton's own session there; on a platform that is not known, everything that may be. */
export function sessionActions(platform: JetonPlatform | undefined): readonly SessionAction[] {
  return PLATFORMS[platform ?? 'anywhere'].sessionActions
}

/** Returns `sts:AssumeRole` with what is needed beside it. */
export function assumeRoleActions(platform: JetonPlatform): string | readonly string[] {
  const others = sessionActions(platform)
  return others.length > 0 ? ['sts:AssumeRole', ...others] : 'sts:AssumeRole'
}

/**
 * Returns the trust of jeton's own role in its platform. Roles Anywhere gives a session to whoever has a certificate from the
 * account's trust anchors, of which only `trustAnchor` is trusted.
 * https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html#trust-policy
 */
export function platformTrust(platform: JetonPlatform, trustAnchor: PolicyText | undefined): PolicyStatement {
  return {
    Effect: 'Allow',
    Principal: { Service: PLATFORMS[platform].service },
    Action: assumeRoleActions(platform),
    ...(trustAnchor !== undefined && { Condition: { ArnEquals: { 'aws:SourceArn': trustAnchor } } }),
  }
}
