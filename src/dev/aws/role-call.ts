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
 * Returns an AssumeRole, and the assumed-role ARN or, by AWS's documented limits, AWS's error.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function parseRoleCall(parameters: URLSearchParams): {
  call: RoleCall
  result: { arn: string } | AwsError
} {
  const call: RoleCall = {
    roleArn: parameters.get('RoleArn') ?? '',
    roleSessionName: parameters.get('RoleSessionName') ?? '',
    policy: parameters.get('Policy') ?? undefined,
    externalId: parameters.get('ExternalId') ?? undefined,
    durationSeconds: Number(parameters.get('DurationSeconds') ?? 3600),
  }
  const [, partition, account, roleName] = ROLE_ARN.exec(call.roleArn) ?? []
  const error =
    (parameters.get('Action') === 'AssumeRole'
      ? undefined
      : {
          status: 400,
          code: 'InvalidAction',
          message: 'This stand-in knows AssumeRole and GetCallerIdentity',
        }) ??
    (roleName ? undefined : invalidValue('roleArn')) ??
    invalidMember(call)
  const arn = `arn:${partition}:sts::${account}:assumed-role/${roleName}/${call.roleSessionName}`
  return { call, result: error ?? { arn } }
}

function invalidMember(call: RoleCall): AwsError | undefined {
  if (!/^[\w+=,.@-]{2,64}$/.test(call.roleSessionName)) return invalidValue('roleSessionName')
  const { durationSeconds } = call
  if (!Number.isInteger(durationSeconds) || durationSeconds < 900 || durationSeconds > 43_200)
    return invalidValue('durationSeconds')
  if (call.externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(call.externalId))
    return invalidValue('externalId')
  if (call.policy === undefined) return undefined
  if (call.policy.length > 2048) return invalidValue('policy')
  try {
    JSON.parse(call.policy)
    return undefined
  } catch {
    return { status: 400, code: 'MalformedPolicyDocument', message: 'Syntax errors in policy.' }
  }
}

function invalidValue(member: string): AwsError {
  const message = `1 validation error detected: Value at '${member}' failed to satisfy constraint`
  return { status: 400, code: 'ValidationError', message }
}
