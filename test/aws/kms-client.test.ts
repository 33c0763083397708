import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createAwsKms } from '../../src/aws/kms-client.ts'
import { type KmsServer, startKms } from '../support/aws/kms.ts'
import { type VirtualClock, virtualClock } from '../support/clock/virtual-clock.ts'
import { rememberingLog } from '../support/service/log.ts'

let server: KmsServer
let clock: VirtualClock
let log: ReturnType<typeof rememberingLog>

beforeEach(async () => {
  server = await startKms()
  for (const [name, value] of Object.entries(server.environment())) vi.stubEnv(name, value)
  clock = virtualClock()
  log = rememberingLog()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

const kmsOf = (kmsKeyId = 'alias/jeton', table = 'jeton') => createAwsKms({ kmsKeyId, table, clock, log })

test('makes a data key and opens it again, by the one key and for the one table', async () => {
  const { secret, sealed } = await kmsOf().generateDataKey()
  expect(secret).toHaveLength(32)
  expect(Buffer.from(sealed).includes(Buffer.from(secret))).toBe(false)
  expect(await kmsOf().decrypt(sealed)).toEqual(secret)
  const context = { service: 'jeton', table: 'jeton' }
  expect(server.calls).toEqual([
    { operation: 'GenerateDataKey', keyId: 'alias/jeton', context, outcome: 'ok' },
    { operation: 'Decrypt', keyId: 'alias/jeton', context, outcome: 'ok' },
  ])
})

test('a key of another table or another KMS key, and a forged one, do not open', async () => {
  const { sealed } = await kmsOf().generateDataKey()
  expect(await kmsOf('alias/jeton', 'other').decrypt(sealed)).toBeUndefined()
  expect(await kmsOf(server.addKey()).decrypt(sealed)).toBeUndefined()
  expect(await kmsOf().decrypt(sealed.map(byte => byte ^ 1))).toBeUndefined()
  server.faults.denied = true
  expect(await kmsOf().decrypt(sealed)).toBeUndefined()
  expect(log.lines.map(({ fields }) => fields)).toMatchObject(
    ['InvalidCiphertext', 'IncorrectKey', 'InvalidCiphertext', 'AccessDenied'].map(name => ({
      refusal: expect.stringMatching(`^${name}Exception \\(400\\), request `),
    })),
  )
})

test('asks the region of an ARN', async () => {
  vi.stubEnv('AWS_REGION', 'eu-west-1')
  const arn = server.aliases.get('alias/jeton') ?? ''
  const kms = createAwsKms({ kmsKeyId: arn, table: 'jeton', region: 'eu-west-1', clock, log })
  await expect(kms.generateDataKey()).resolves.toBeDefined()
  await expect(
    kmsOf('arn:aws:kms:ap-south-1:123456789012:alias/none').generateDataKey(),
  ).rejects.toMatchObject({
    reason: expect.stringContaining('in ap-south-1'),
  })
})

test("tells the clock what KMS's Date says", async () => {
  server.faults.clockShiftMs = 120_000
  await kmsOf().generateDataKey()
  const [seen] = clock.observed
  expect(Math.abs((seen?.getTime() ?? 0) - Date.now() - 120_000)).toBeLessThan(5000)
})

describe('a failure', () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      'denied',
      () => Object.assign(server.faults, { denied: true }),
      /AccessDenied.*kms:GenerateDataKey and kms:Decrypt/,
    ],
    [
      'failing',
      () => Object.assign(server.faults, { failing: true }),
      /KMSInternalException \(500\), request/,
    ],
    ['gone', () => Object.assign(server.faults, { gone: true }), /ECONNRESET/],
    ['no such key', () => server.aliases.clear(), /NotFoundException.*no such key in that region/],
    ['no region', () => void vi.stubEnv('AWS_REGION', undefined), /no region is configured: set AWS_REGION/],
  ])('(%s) is temporarily_unavailable and says what to do, with no secret', async (_, fail, reason) => {
    fail()
    const failure = await kmsOf()
      .generateDataKey()
      .catch(cause => cause)
    expect(failure).toMatchObject({ code: 'temporarily_unavailable', reason: expect.stringMatching(reason) })
    expect(failure.retryAfterMs).toBeGreaterThan(0)
    const shown = JSON.stringify([failure.reason, failure.publicMessage, log.lines])
    expect(shown).not.toMatch(/kms-test-secret|AKIAIOSFODNN7EXAMPLE|a message that tells/)
  })

  test('to answer the opening of a key leaves it open whether it could be', async () => {
    const { sealed } = await kmsOf().generateDataKey()
    server.faults.failing = true
    await expect(kmsOf().decrypt(sealed)).rejects.toMatchObject({ code: 'temporarily_unavailable' })
  })

  test('to answer at all ends before long', async () => {
    server.faults.delayMs = 60_000
    await expect(kmsOf().generateDataKey()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
  })

  test("to find credentials of jeton's own ends before long too", { timeout: 15_000 }, async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    const folder = await mkdtemp(join(tmpdir(), 'jeton-aws-'))
    await writeFile(join(folder, 'config'), '[default]\ncredential_process = sleep 60\n')
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
    await expect(kmsOf().generateDataKey()).rejects.toMatchObject({ code: 'temporarily_unavailable' })
    await rm(folder, { recursive: true })
  })
})
