/** A string of a policy. In a CloudFormation template it may be an intrinsic function, resolved at deployment. */
export type PolicyText = string | { readonly 'Fn::Sub': string } | { readonly Ref: string }

export interface PolicyStatement {
  readonly Effect: 'Allow'
  readonly Principal?: Readonly<Record<string, PolicyText>>
  readonly Action: string | readonly string[]
  readonly Resource?: readonly PolicyText[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, PolicyText | readonly string[]>>>>
}

export interface PolicyDocument {
  readonly Version: '2012-10-17'
  readonly Statement: readonly PolicyStatement[]
}

/** A role's two policies: the principals that may assume it, and what it may do. */
export interface RoleDocuments {
  readonly trust: PolicyDocument
  readonly permissions: PolicyDocument
}

/** The location of a table or a key. In a template, `account` and `region` may be pseudo parameters. */
export interface ResourceLocation {
  readonly partition: string
  readonly account: string
  readonly region: string
}

const PSEUDO_PARAMETER = 'AWS::'

/**
 * Returns the placeholder that CloudFormation replaces with the stack's own account or region.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
 */
export function pseudoParameter(name: 'AccountId' | 'Region'): string {
  return `$\{${PSEUDO_PARAMETER}${name}}`
}

export interface ResourceArn extends ResourceLocation {
  readonly service: string
  readonly resource: string
}

/** Returns an ARN, within `Fn::Sub` if it has a pseudo parameter in it. */
export function resourceArn({ partition, service, region, account, resource }: ResourceArn): PolicyText {
  const arn = `arn:${partition}:${service}:${region}:${account}:${resource}`
  return arn.includes(`$\{${PSEUDO_PARAMETER}`) ? { 'Fn::Sub': arn } : arn
}

/** Returns these statements as a policy of the current version of the policy language. */
export function policyDocument(statements: readonly PolicyStatement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements }
}
