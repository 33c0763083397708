import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findRegion } from '../../src/aws/errors.ts'
import { createKmsKeyClient } from '../../src/aws/kms-client.ts'
import { type KmsServer, startKms } from '../support/aws/kms.ts'
import { hangCredentialSearch, stubEnvironment } from '../support/aws/stub-environment.ts'
import { holdDeadlines } from '../support/clock/held-deadlines.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'

let server: KmsServer
let clock: VirtualClock

beforeEach(async () => {
  server = await startKms()
  stubEnvironment(server.environment())
  clock = virtualClock()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

const clientOf = (kmsKeyId = 'alias/jeton', region?: string) =>
  createKmsKeyClient({ kmsKeyId, clock, region })
const CONTEXT = { purpose: 'test' }

test('createKmsKeyClient generates and decrypts data keys with one key, each in its encryption context', async () => {
  const { plaintext, ciphertext } = await clientOf().generateDataKey(CONTEXT)
  expect(plaintext).toHaveLength(32)
  expect(Buffer.from(ciphertext).includes(Buffer.from(plaintext))).toBe(false)
  expect(await clientOf().decryptDataKey(ciphertext, CONTEXT)).toEqual(plaintext)
  const other = { purpose: 'another' }
  await expect(clientOf().decryptDataKey(ciphertext, other)).rejects.toMatchObject({
    name: 'InvalidCiphertextException',
  })
  expect(server.calls).toEqual([
    { operation: 'GenerateDataKey', keyId: 'alias/jeton', context: CONTEXT, outcome: 'ok' },
    { operation: 'Decrypt', keyId: 'alias/jeton', context: CONTEXT, outcome: 'ok' },
    { operation: 'Decrypt', keyId: 'alias/jeton', context: other, outcome: 'InvalidCiphertextException' },
  ])
})

test('createKmsKeyClient asks the region of an ARN, else the region given, else that of the environment', async () => {
  vi.stubEnv('AWS_REGION', 'eu-west-1')
  const arn = 'arn:aws:kms:ap-south-1:123456789012:alias/none'
  expect(await findRegion(clientOf(arn, 'eu-north-1'))).toBe('ap-south-1')
  expect(await findRegion(clientOf('alias/jeton', 'eu-north-1'))).toBe('eu-north-1')
  expect(await findRegion(clientOf('alias/jeton'))).toBe('eu-west-1')
})

test("createKmsKeyClient passes KMS's Date to the clock", async () => {
  server.faults.clockShiftMs = 120_000
  await clientOf().generateDataKey(CONTEXT)
  const [date] = clock.observed
  expect(Math.abs((date?.getTime() ?? 0) - Date.now() - 120_000)).toBeLessThan(5000)
})

describe('a call of the KMS client', () => {
  test("rejects with the SDK's error", async () => {
    server.faults.denied = true
    await expect(clientOf().generateDataKey(CONTEXT)).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('ends after 12 s if KMS does not answer', async () => {
    const deadlines = holdDeadlines()
    server.faults.delayMs = 60_000
    const call = clientOf().generateDataKey(CONTEXT)
    await Promise.all([
      expect(call).rejects.toMatchObject({ name: 'TimeoutError' }),
      deadlines.pass(12_000, () => server.requests() > 0),
    ])
  })

  test("ends after 12 s if the search for jeton's own credentials hangs", async () => {
    const deadlines = holdDeadlines()
    await hangCredentialSearch()
    const call = clientOf().generateDataKey(CONTEXT)
    await Promise.all([expect(call).rejects.toMatchObject({ name: 'TimeoutError' }), deadlines.pass(12_000)])
  })
})
