import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createKmsKeyClient } from '../../../src/aws/kms-client.ts'
import { createAwsKms } from '../../../src/store/keyring/aws-kms.ts'
import { KMS_MESSAGE, type KmsServer, startKms } from '../../support/aws/kms.ts'
import { stubEnvironment } from '../../support/aws/stub-environment.ts'
import { virtualClock } from '../../support/clock/virtual-clock.ts'
import { createLogRecorder, type LogRecorder } from '../../support/service/log-recorder.ts'

let server: KmsServer
let log: LogRecorder

beforeEach(async () => {
  server = await startKms()
  stubEnvironment(server.environment())
  log = createLogRecorder()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

const kmsOf = (kmsKeyId = 'alias/jeton', table = 'jeton') =>
  createAwsKms({ kmsKeyId, table, clock: virtualClock(), log })

const RECORD = 'data-key/b734bc212cf9/2026-11-23/bound'

test('createAwsKms generates and decrypts data keys for one record of one table', async () => {
  const { secret, encryptedKey } = await kmsOf().generateDataKey(RECORD)
  expect(secret).toHaveLength(32)
  expect(await kmsOf().decrypt(encryptedKey, RECORD)).toEqual(secret)
  const context = { service: 'jeton', table: 'jeton', key: RECORD }
  expect(server.calls).toMatchObject([
    { operation: 'GenerateDataKey', context },
    { operation: 'Decrypt', context },
  ])
})

test('createAwsKms decrypts a data key that is bound to no record, as those from before 0.1, in the context of the table alone', async () => {
  const context = { service: 'jeton', table: 'jeton' }
  const client = createKmsKeyClient({ kmsKeyId: 'alias/jeton', clock: virtualClock() })
  const { plaintext, ciphertext } = await client.generateDataKey(context)
  expect(await kmsOf().decrypt(ciphertext, undefined)).toEqual(plaintext)
  expect(await kmsOf().decrypt(ciphertext, RECORD)).toBeUndefined()
})

test('a data key of another record, table or KMS key, a forged one, and one that KMS denies are logged and undefined', async () => {
  const { encryptedKey } = await kmsOf().generateDataKey(RECORD)
  expect(await kmsOf().decrypt(encryptedKey, RECORD.replace('23', '24'))).toBeUndefined()
  expect(await kmsOf('alias/jeton', 'other').decrypt(encryptedKey, RECORD)).toBeUndefined()
  expect(await kmsOf(server.addKey()).decrypt(encryptedKey, RECORD)).toBeUndefined()
  expect(
    await kmsOf().decrypt(
      encryptedKey.map(byte => byte ^ 1),
      RECORD,
    ),
  ).toBeUndefined()
  server.faults.denied = true
  expect(await kmsOf().decrypt(encryptedKey, RECORD)).toBeUndefined()
  expect(log.lines.map(({ fields }) => fields)).toMatchObject(
    ['InvalidCiphertext', 'InvalidCiphertext', 'IncorrectKey', 'InvalidCiphertext', 'AccessDenied'].map(
      name => ({
        event: 'kms_refused',
        refusal: expect.stringMatching(`^${name}Exception \\(400\\), request `),
      }),
    ),
  )
})

test.each([0, 6145])(
  'a data key of %i bytes, which KMS takes for an invalid request, is not a failure of KMS',
  async length => {
    expect(await kmsOf().decrypt(new Uint8Array(length), RECORD)).toBeUndefined()
    expect(server.calls.at(-1)?.outcome).toBe('ValidationException')
  },
)

test('a KMS that fails while it decrypts rejects, for the key may still be good', async () => {
  const { encryptedKey } = await kmsOf().generateDataKey(RECORD)
  server.faults.failing = true
  await expect(kmsOf().decrypt(encryptedKey, RECORD)).rejects.toMatchObject({
    code: 'temporarily_unavailable',
  })
})

test.each<[string, () => unknown, RegExp]>([
  [
    'denied',
    () => Object.assign(server.faults, { denied: true }),
    /KMS key alias\/jeton in us-east-1: AccessDenied.*kms:GenerateDataKey and kms:Decrypt/,
  ],
  ['failing', () => Object.assign(server.faults, { failing: true }), /KMSInternalException \(500\), request/],
  ['gone', () => Object.assign(server.faults, { gone: true }), /ECONNRESET/],
  ['no such key', () => server.aliases.clear(), /NotFoundException.*no such key in that region/],
  ['no region', () => void vi.stubEnv('AWS_REGION', undefined), /no region is configured: set AWS_REGION/],
])(
  'a failure (%s) is temporarily_unavailable and says what to do, without a secret',
  async (_, breakKms, reason) => {
    breakKms()
    const failure = await kmsOf()
      .generateDataKey(RECORD)
      .catch(cause => cause)
    expect(failure).toMatchObject({ code: 'temporarily_unavailable', reason: expect.stringMatching(reason) })
    expect(failure.retryAfterMs).toBeGreaterThan(0)
    const shown = JSON.stringify([failure.reason, failure.publicMessage, log.lines])
    expect(shown).not.toMatch(/kms-test-secret|AKIAIOSFODNN7EXAMPLE/)
    expect(shown).not.toContain(KMS_MESSAGE)
  },
)
