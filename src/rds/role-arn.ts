import { PARTITIONS } from './partitions.ts'

export type RoleArn =
  | {
      readonly ok: true
      readonly partition: string
      readonly account: string
      /** Without its path, as RDS's log and the ARN of a role session name it. */
      readonly roleName: string
    }
  | { readonly ok: false; readonly problem: string }

const FORM = 'arn:PARTITION:iam::ACCOUNT:role/NAME'
const ROLE = /^arn:([a-z-]+):iam::(\d{12}):role\/(?:[!-~]+\/)?([\w+=,.@-]{1,64})$/

/**
 * Reads the ARN of an IAM role. That the role exists and may be assumed is not checked.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
export function parseRoleArn(arn: string): RoleArn {
  if (/^arn:[a-z-]+:sts:/.test(arn))
    return refused(`is the ARN of a role session: give the role's own, ${FORM}`)
  const [, partition, account, roleName] = ROLE.exec(arn) ?? []
  if (partition === undefined || account === undefined || roleName === undefined)
    return refused(`is not the ARN of an IAM role: ${FORM} with the 12 digits of the account`)
  // The ARN becomes the resource of the policy that lets jeton assume it.
  if (/[*?$]/.test(arn)) return refused('has *, ? or $ in it, which would widen a policy: name one role')
  if (!PARTITIONS.some(known => known.name === partition))
    return refused(`has no partition of AWS in it: one of ${PARTITIONS.map(known => known.name).join(', ')}`)
  return { ok: true, partition, account, roleName }
}

function refused(problem: string): RoleArn {
  return { ok: false, problem }
}
