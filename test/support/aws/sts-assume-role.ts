import type { RoleCall } from '../../../src/dev/aws/role-call.ts'
import type { AwsError } from '../../../src/dev/aws/sts-request.ts'
import type { StsFaults } from './sts.ts'

/** Returns the error that the test's faults call for, or undefined if the role may be assumed. */
export function faultOf(call: RoleCall, faults: StsFaults): AwsError | undefined {
  return faultError(faults) ?? denied(call, faults)
}

function faultError(faults: StsFaults): AwsError | undefined {
  if (faults.failing) return { status: 500, code: 'InternalFailure', message: 'An internal error occurred' }
  if (faults.throttling) return { status: 400, code: 'Throttling', message: 'Rate exceeded' }
  return faults.error
}

function denied(call: RoleCall, faults: StsFaults): AwsError | undefined {
  const externalId = faults.externalIds.get(call.roleArn)
  if (!faults.deniedRoles.has(call.roleArn) && (externalId === undefined || externalId === call.externalId))
    return undefined
  const message = `User: arn:aws:iam::000000000000:user/jeton is not authorized to perform: sts:AssumeRole on resource: ${call.roleArn}`
  return { status: 403, code: 'AccessDenied', message }
}
