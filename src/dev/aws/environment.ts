import { devNull } from 'node:os'

export interface AwsEnvironment {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Environment variables that give AWS's SDKs and CLI these credentials, and keep them from the developer's own profile. */
export function awsEnvironment({ region, accessKeyId, secretAccessKey }: AwsEnvironment) {
  return {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  }
}
