import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import { withSecondCall } from '../lib/second-call.ts'
import { createClient, LONG_CALLS, RESEND_AFTER_MS } from './client.ts'
import { isAwsReply } from './error-facts.ts'
import type { RegionalClient } from './errors.ts'

const KEY_BYTES = 32

export interface KmsClientOptions {
  /** Key id, ARN, alias or the ARN of an alias; calls go to the region of an ARN. */
  kmsKeyId: string
  /** Unless given, the region that the SDK's environment names. */
  region?: string | undefined
  clock: Clock
}

/** A data key decrypts only in the context that it was generated in. */
export type EncryptionContext = Record<string, string>

/** The calls for one KMS key. They reject with the SDK's errors, `TimeoutError`, or a TypeError for a bad reply. */
export interface KmsKeyClient extends RegionalClient {
  /** Returns a new data key of 32 bytes, in clear and encrypted. */
  generateDataKey(
    context: EncryptionContext,
  ): Promise<{ readonly plaintext: Uint8Array; readonly ciphertext: Uint8Array }>
  /** Returns the data key in clear. */
  decryptDataKey(ciphertext: Uint8Array, context: EncryptionContext): Promise<Uint8Array>
}

/**
 * Returns a client for one key of AWS KMS. Every call ends within 12 s; if there is no reply after 2.5 s, its request is sent
 * once more beside. Policies may require the encryption context, and CloudTrail shows it.
 * https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
export function createKmsKeyClient(options: KmsClientOptions): KmsKeyClient {
  const { kmsKeyId, region, clock } = options
  const client = createClient(KMSClient, {
    limits: LONG_CALLS,
    clock,
    region: arnRegion(kmsKeyId) ?? region,
  })

  function call<Reply>(send: (abortSignal: AbortSignal) => Promise<Reply>): Promise<Reply> {
    return withDeadline(LONG_CALLS.deadlineMs, deadline =>
      withSecondCall(signal => send(AbortSignal.any([signal, deadline])), {
        clock,
        afterMs: RESEND_AFTER_MS,
        isAnswer: isAwsReply,
      }),
    )
  }

  return {
    config: client.config,
    async generateDataKey(EncryptionContext) {
      const command = new GenerateDataKeyCommand({ KeyId: kmsKeyId, EncryptionContext, KeySpec: 'AES_256' })
      const { Plaintext, CiphertextBlob } = await call(abortSignal => client.send(command, { abortSignal }))
      if (!CiphertextBlob) throw new TypeError('KMS answered without an encrypted key')
      return { plaintext: requireKey(Plaintext), ciphertext: CiphertextBlob }
    },
    async decryptDataKey(CiphertextBlob, EncryptionContext) {
      const command = new DecryptCommand({ KeyId: kmsKeyId, EncryptionContext, CiphertextBlob })
      const { Plaintext } = await call(abortSignal => client.send(command, { abortSignal }))
      return requireKey(Plaintext)
    },
  }
}

function requireKey(plaintext: Uint8Array | undefined): Uint8Array {
  if (plaintext?.length !== KEY_BYTES) throw new TypeError('KMS answered without a key of 32 bytes')
  return plaintext
}

function arnRegion(kmsKeyId: string): string | undefined {
  return /^arn:[^:]+:kms:([^:]+):/.exec(kmsKeyId)?.[1]
}
