import { isJsonObject } from '../../lib/json.ts'
import { failure } from '../errors.ts'

/** Keys to sign requests to AWS with. All but the id are secrets. */
export interface AwsCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/**
 * Returns the credentials in the JSON that a container's endpoint or an instance's metadata server at `from` answers with.
 * Throws CallerError, without quoting it.
 */
export function parseAwsCredentials(body: unknown, from: string): AwsCredentials {
  const { AccessKeyId, SecretAccessKey, Token } = isJsonObject(body) ? body : {}
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string')
    throw failure(`there are no AWS credentials in the answer of ${from}`)
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof Token === 'string' && { sessionToken: Token }),
  }
}
