import type { StsFaults } from './sts.ts'
import type { AwsError } from './sts-request.ts'

/** The parameters of an AssumeRole. */
export interface RoleCall {
  readonly roleArn: string
  readonly roleSessionName: string
  readonly policy: string | undefined
  readonly externalId: string | undefined
  readonly durationSeconds: number
}

const ROLE_ARN = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/(?:[\x21-\x7e]*\/)?([\w+=,.@-]{1,64})$/

/**
 * Decides an AssumeRole by AWS's documented limits and the test's faults. Returns the parsed call, and the assumed-role ARN or
 * AWS's error. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function assumeRole(
  parameters: URLSearchParams,
  faults: StsFaults,
): { call: RoleCall; result: { arn: string } | AwsError } {
  const call: RoleCall = {
    roleArn: parameters.get('RoleArn') ?? '',
    roleSessionName: parameters.get('RoleSessionName') ?? '',
    policy: parameters.get('Policy') ?? undefined,
    externalId: parameters.get('ExternalId') ?? undefined,
    durationSeconds: Number(parameters.get('DurationSeconds') ?? 3600),
  }
  const [, partition, account, roleName] = ROLE_ARN.exec(call.roleArn) ?? []
  const error =
    faultError(faults) ??
    (parameters.get('Action') === 'AssumeRole'
      ? undefined
      : { status: 400, code: 'InvalidAction', message: 'This stand-in knows only AssumeRole' }) ??
    (roleName ? undefined : invalid('roleArn')) ??
    invalidMember(call) ??
    denied(call, faults)
  const arn = `arn:${partition}:sts::${account}:assumed-role/${roleName}/${call.roleSessionName}`
  return { call, result: error ?? { arn } }
}

function faultError(faults: StsFaults): AwsError | undefined {
  if (faults.failing) return { status: 500, code: 'InternalFailure', message: 'An internal error occurred' }
  if (faults.throttling) return { status: 400, code: 'Throttling', message: 'Rate exceeded' }
  return undefined
}

function invalidMember(call: RoleCall): AwsError | undefined {
  if (!/^[\w+=,.@-]{2,64}$/.test(call.roleSessionName)) return invalid('roleSessionName')
  const { durationSeconds } = call
  if (!Number.isInteger(durationSeconds) || durationSeconds < 900 || durationSeconds > 43_200)
    return invalid('durationSeconds')
  if (call.externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(call.externalId))
    return invalid('externalId')
  if (call.policy === undefined) return undefined
  if (call.policy.length > 2048) return invalid('policy')
  try {
    JSON.parse(call.policy)
    return undefined
  } catch {
    return { status: 400, code: 'MalformedPolicyDocument', message: 'Syntax errors in policy.' }
  }
}

function denied(call: RoleCall, faults: StsFaults): AwsError | undefined {
  const externalId = faults.externalIds.get(call.roleArn)
  if (!faults.deniedRoles.has(call.roleArn) && (externalId === undefined || externalId === call.externalId))
    return undefined
  const message = `User: arn:aws:iam::000000000000:user/jeton is not authorized to perform: sts:AssumeRole on resource: ${call.roleArn}`
  return { status: 403, code: 'AccessDenied', message }
}

function invalid(member: string): AwsError {
  const message = `1 validation error detected: Value at '${member}' failed to satisfy constraint`
  return { status: 400, code: 'ValidationError', message }
}
