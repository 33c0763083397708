import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { JetonError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { withDeadline } from '../lib/deadline.ts'
import type { Kms } from '../store/keyring/kms.ts'
import type { Log } from '../telemetry/log.ts'
import { awsErrorFacts, describeAwsError } from './errors.ts'
import { observeDates } from './observe-dates.ts'

const CONNECT_TIMEOUT_MS = 1000
const ANSWER_TIMEOUT_MS = 2500
/** For all of it: the SDK's search for credentials of its own has no end by itself. */
const DEADLINE_MS = 8000
const COME_BACK_MS = 1000
const KEY_BYTES = 32

/** What KMS says of a data key that this key, or this role, will never open. */
const REFUSALS = new Set(['AccessDeniedException', 'IncorrectKeyException', 'InvalidCiphertextException'])

const TO_DO = new Map([
  ['AccessDeniedException', "jeton's own role needs kms:GenerateDataKey and kms:Decrypt on this key"],
  ['NotFoundException', 'there is no such key in that region'],
  ['DisabledException', 'the key is disabled: enable it'],
  ['KMSInvalidStateException', 'the key is about to be deleted, or out of reach'],
  ['UnrecognizedClientException', 'AWS does not know the credentials that jeton runs with: renew them'],
  ['ExpiredTokenException', 'the credentials that jeton runs with have expired: renew them'],
  ['CredentialsProviderError', 'jeton finds no AWS credentials of its own'],
])

export interface AwsKmsParts {
  /** Key id, ARN, alias or the ARN of an alias; of an ARN, its region is asked. */
  kmsKeyId: string
  /** What the data keys are for: a key made for one table opens for no other. */
  table: string
  region?: string
  clock: Clock
  log: Log
}

/**
 * AWS KMS, with one key of it: data keys are made and opened by that key alone, in the encryption context
 * `{ service: 'jeton', table }`, which policies may demand and CloudTrail shows. Every call ends within 8 s. The SDK finds
 * credentials and endpoint in its own environment.
 * https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
export function createAwsKms({ kmsKeyId, table, region, clock, log }: AwsKmsParts): Kms {
  const client = createClient(regionIn(kmsKeyId) ?? region, clock)
  const what = { KeyId: kmsKeyId, EncryptionContext: { service: 'jeton', table } }

  async function failure(cause: unknown): Promise<JetonError> {
    const asked = await client.config.region().catch(() => undefined)
    const toDo =
      asked === undefined ? 'no region is configured: set AWS_REGION' : TO_DO.get(awsErrorFacts(cause).name)
    return new JetonError('temporarily_unavailable', {
      publicMessage: 'the store cannot be used; try again',
      reason: `KMS cannot use ${kmsKeyId} in ${asked ?? 'no region'}: ${describeAwsError(cause)}${toDo ? `; ${toDo}` : ''}`,
      retryAfterMs: COME_BACK_MS,
    })
  }

  return {
    async generateDataKey() {
      try {
        const command = new GenerateDataKeyCommand({ ...what, KeySpec: 'AES_256' })
        const { Plaintext, CiphertextBlob } = await withDeadline(DEADLINE_MS, abortSignal =>
          client.send(command, { abortSignal }),
        )
        if (!CiphertextBlob) throw new TypeError('KMS answered without a sealed key')
        return { secret: keyOf(Plaintext), sealed: CiphertextBlob }
      } catch (cause) {
        throw await failure(cause)
      }
    },
    async decrypt(sealed) {
      try {
        const command = new DecryptCommand({ ...what, CiphertextBlob: sealed })
        const { Plaintext } = await withDeadline(DEADLINE_MS, abortSignal =>
          client.send(command, { abortSignal }),
        )
        return keyOf(Plaintext)
      } catch (cause) {
        if (!REFUSALS.has(awsErrorFacts(cause).name)) throw await failure(cause)
        log.warn(
          { event: 'kms_refused', kmsKeyId, refusal: describeAwsError(cause) },
          'KMS refuses to open a data key',
        )
        return undefined
      }
    },
  }
}

function keyOf(plaintext: Uint8Array | undefined): Uint8Array {
  if (plaintext?.length !== KEY_BYTES) throw new TypeError('KMS answered without a key of 32 bytes')
  return plaintext
}

function regionIn(kmsKeyId: string): string | undefined {
  return /^arn:[^:]+:kms:([^:]+):/.exec(kmsKeyId)?.[1]
}

function createClient(region: string | undefined, clock: Clock): KMSClient {
  const client = new KMSClient({
    ...(region !== undefined && { region }),
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: ANSWER_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  })
  observeDates(client, clock)
  return client
}
