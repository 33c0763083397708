import { PARTITIONS } from './partitions.ts'

export type RoleArn =
  | {
      readonly ok: true
      readonly partition: string
      readonly account: string
      /** Without its path, as it appears in the ARN of a role session and in RDS's log. */
      readonly roleName: string
    }
  | { readonly ok: false; readonly problem: string }

const FORM = 'arn:PARTITION:iam::ACCOUNT:role/NAME'
const ROLE = /^arn:([a-z-]+):iam::(\d{12}):role\/(?:[!-~]+\/)?([\w+=,.@-]{1,64})$/

/** Roles whose trust policy AWS keeps: https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html */
const OTHERS_ROLES = [
  { path: /:role\/aws-service-role\//, owner: 'that AWS linked to one of its services' },
  { path: /:role\/aws-reserved\//, owner: 'that IAM Identity Center manages for people' },
]

/**
 * Parses the ARN of an IAM role, or returns what is wrong with it. Does not check that the role exists or can be assumed.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
export function parseRoleArn(arn: string): RoleArn {
  if (/^arn:[a-z-]+:sts:/.test(arn))
    return invalid(`is the ARN of a role session: use the ARN of the role itself, ${FORM}`)
  const [, partition, account, roleName] = ROLE.exec(arn) ?? []
  if (partition === undefined || account === undefined || roleName === undefined)
    return invalid(`is not the ARN of an IAM role: ${FORM}, where ACCOUNT has 12 digits`)
  // the ARN becomes the resource of the policy that lets jeton assume the role
  if (/[*?$]/.test(arn))
    return invalid('contains *, ? or $, which would widen a policy: name exactly one role')
  const others = OTHERS_ROLES.find(({ path }) => path.test(arn))
  if (others)
    return invalid(`is a role ${others.owner}, which jeton cannot assume: create a role of your own`)
  if (!PARTITIONS.some(known => known.name === partition))
    return invalid(
      `has an unknown AWS partition: use one of ${PARTITIONS.map(known => known.name).join(', ')}`,
    )
  return { ok: true, partition, account, roleName }
}

function invalid(problem: string): RoleArn {
  return { ok: false, problem }
}
