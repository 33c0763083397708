import type { ResourceLocation } from './role-policies.ts'

/** What a `KeyId` of KMS says: exactly one of `keyId` and `alias`. */
export interface KmsKeyId {
  /** Undefined unless it is an ARN. */
  readonly location?: ResourceLocation
  readonly keyId?: string
  /** `alias/NAME`. */
  readonly alias?: string
}

const ARN = /^arn:([a-z-]+):kms:([a-z0-9-]+):(\d{12}):(key|alias)\/([^*?$]+)$/

/**
 * Parses the four forms of a KMS `KeyId`: a key's id or ARN, an alias or its ARN. Any other text counts as a key's id.
 * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
 */
export function parseKmsKeyId(text: string): KmsKeyId {
  const [, partition, region, account, kind, id] = ARN.exec(text) ?? []
  if (!partition || !region || !account || !kind || !id)
    return text.startsWith('alias/') ? { alias: text } : { keyId: text }
  return {
    location: { partition, region, account },
    ...(kind === 'key' ? { keyId: id } : { alias: `alias/${id}` }),
  }
}
