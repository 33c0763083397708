import { awsErrorFacts } from '../../aws/error-facts.ts'
import { describeFailedCall, explainAwsError } from '../../aws/errors.ts'
import { createKmsKeyClient, type EncryptionContext } from '../../aws/kms-client.ts'
import { JetonError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Kms } from './kms.ts'

const RETRY_AFTER_MS = 1000

/**
 * Errors after which this key, or this role, will never decrypt that data key. What is to be decrypted comes from the table,
 * so none that it can cause may count as a failure of KMS.
 */
const REFUSALS = new Set([
  'AccessDeniedException',
  'IncorrectKeyException',
  'InvalidCiphertextException',
  'InvalidKeyUsageException',
  'ValidationException',
])

const REMEDIES = new Map([
  ['AccessDeniedException', "jeton's own role needs kms:GenerateDataKey and kms:Decrypt on this key"],
  ['NotFoundException', 'there is no such key in that region'],
  ['DisabledException', 'the key is disabled: enable it'],
  ['KMSInvalidStateException', 'the key is pending deletion, or its key store cannot be reached'],
  ['IncorrectKeyException', 'the data key was made by another KMS key'],
  ['InvalidCiphertextException', 'the data key was changed, or made by another KMS key or for another table'],
])

export interface AwsKmsParts {
  /** Key id, ARN, alias or the ARN of an alias; calls go to the region of an ARN. */
  kmsKeyId: string
  /** A data key that was generated for one table does not decrypt for another. */
  table: string
  /** Unless given, the region that the SDK's environment names. */
  region?: string | undefined
  clock: Clock
  log: Log
}

/**
 * Returns AWS KMS as a keyring's key management service. Data keys are generated and decrypted by the one KMS key, in the
 * encryption context `{ service: 'jeton', table, key }`, where `key` is what the data key is bound to; those that are bound
 * to nothing have no `key`. Every call ends within 12 s.
 */
export function createAwsKms({ kmsKeyId, table, region, clock, log }: AwsKmsParts): Kms {
  const client = createKmsKeyClient({ kmsKeyId, region, clock })

  function contextOf(boundTo: string | undefined): EncryptionContext {
    return { service: 'jeton', table, ...(boundTo !== undefined && { key: boundTo }) }
  }

  async function asKmsFailure(cause: unknown): Promise<JetonError> {
    const summary = `cannot use the KMS key ${kmsKeyId}`
    return new JetonError('temporarily_unavailable', {
      publicMessage: 'the store cannot be used; try again',
      reason: await describeFailedCall(cause, { client, summary, remedies: REMEDIES }),
      retryAfterMs: RETRY_AFTER_MS,
    })
  }

  return {
    async generateDataKey(boundTo) {
      try {
        const { plaintext, ciphertext } = await client.generateDataKey(contextOf(boundTo))
        return { secret: plaintext, encryptedKey: ciphertext }
      } catch (cause) {
        throw await asKmsFailure(cause)
      }
    },
    async decrypt(encryptedKey, boundTo) {
      try {
        return await client.decryptDataKey(encryptedKey, contextOf(boundTo))
      } catch (cause) {
        if (!REFUSALS.has(awsErrorFacts(cause).name)) throw await asKmsFailure(cause)
        log.warn(
          { event: 'kms_refused', kmsKeyId, refusal: explainAwsError(cause, REMEDIES) },
          'KMS refuses to decrypt a data key; what is encrypted with it cannot be read',
        )
        return undefined
      }
    },
  }
}
