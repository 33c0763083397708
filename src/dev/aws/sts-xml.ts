import { randomUUID } from 'node:crypto'
import type { AwsError } from './sts-request.ts'
import type { StsSession } from './sts-session.ts'

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

/** The response to AssumeRole: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export function assumeRoleXml(session: StsSession): string {
  return `<AssumeRoleResponse xmlns="${NAMESPACE}">
  <AssumeRoleResult>
    <AssumedRoleUser>
      <AssumedRoleId>AROA${session.accessKeyId.slice(4)}:${escapeXml(session.roleSessionName)}</AssumedRoleId>
      <Arn>${escapeXml(session.arn)}</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>${session.accessKeyId}</AccessKeyId>
      <SecretAccessKey>${session.secret}</SecretAccessKey>
      <SessionToken>${session.token}</SessionToken>
      <Expiration>${new Date(session.expiresAt).toISOString().replace(/\.\d+/, '')}</Expiration>
    </Credentials>
    <PackedPolicySize>6</PackedPolicySize>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>
</AssumeRoleResponse>`
}

/** The response to GetCallerIdentity: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export function callerIdentityXml(arn: string): string {
  return `<GetCallerIdentityResponse xmlns="${NAMESPACE}">
  <GetCallerIdentityResult>
    <Arn>${arn}</Arn>
    <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>
    <Account>${arn.split(':')[4]}</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>`
}

export function errorXml({ status, code, message }: AwsError): string {
  return `<ErrorResponse xmlns="${NAMESPACE}">
  <Error>
    <Type>${status < 500 ? 'Sender' : 'Receiver'}</Type>
    <Code>${code}</Code>
    <Message>${escapeXml(message)}</Message>
  </Error>
  <RequestId>${randomUUID()}</RequestId>
</ErrorResponse>`
}

const ENTITIES: Record<string, string> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&apos;',
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, char => ENTITIES[char] ?? char)
}
