import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { Signer } from '@aws-sdk/rds-signer'
import type { SignedEndpoint } from '../../../src/dev/aws/rds-verifier.ts'
import type { Sts } from './sts.ts'

export interface MintOptions {
  readonly sts: Sts
  readonly endpoint: SignedEndpoint
  /** The database user of the token. */
  readonly user: string
  /** The database user that the session policy allows, `user` unless given; null sends no policy. */
  readonly allowed?: string | null
}

/** A role that anyone with the stand-in STS's credentials can assume. */
export const ROLE_ARN = 'arn:aws:iam::123456789012:role/jeton-orders'

/**
 * Returns a token made only by AWS's own libraries: `@aws-sdk/client-sts` assumes the role and `@aws-sdk/rds-signer` signs, at
 * the machine's time. It shows that the stand-ins accept what AWS's tools make, whatever jeton does.
 */
export async function mintWithAws({ sts, endpoint, user, allowed = user }: MintOptions): Promise<string> {
  const { host, port, region, resourceId } = endpoint
  const resource = `arn:aws:rds-db:${region}:123456789012:dbuser:${resourceId}/${allowed}`
  const statement = { Effect: 'Allow', Action: 'rds-db:connect', Resource: resource }
  const client = new STSClient({ region, endpoint: sts.url, credentials: sts.credentials, maxAttempts: 1 })
  const { Credentials } = await client.send(
    new AssumeRoleCommand({
      RoleArn: ROLE_ARN,
      RoleSessionName: `orders.${user}`,
      ...(allowed === null
        ? {}
        : { Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) }),
    }),
  )
  client.destroy()
  const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials ?? {}
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) throw new Error('STS returned no credentials')
  const credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  }
  return new Signer({ hostname: host, port, region, username: user, credentials }).getAuthToken()
}
