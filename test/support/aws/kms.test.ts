import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type KmsServer, startKms } from './kms.ts'

const EncryptionContext = { service: 'jeton', table: 'jeton' }

let kms: KmsServer
beforeEach(async () => {
  kms = await startKms()
})
afterEach(() => kms.close())

const client = () =>
  new KMSClient({
    region: kms.region,
    endpoint: kms.url,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' },
    maxAttempts: 1,
  })
const generate = (KeyId: string) =>
  client().send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }))
const decrypt = (input: {
  CiphertextBlob?: Uint8Array | undefined
  KeyId?: string
  EncryptionContext?: object
}) => client().send(new DecryptCommand({ EncryptionContext, ...input } as never))

test('startKms gives AWS’s client a data key, and decrypts it by every name of the key', async () => {
  const arn = kms.aliases.get('alias/jeton') ?? ''
  const { Plaintext, CiphertextBlob, KeyId } = await generate('alias/jeton')
  expect(KeyId).toBe(arn)
  expect(Plaintext).toHaveLength(32)
  const aliasArn = 'arn:aws:kms:us-east-1:123456789012:alias/jeton'
  for (const name of ['alias/jeton', aliasArn, arn, arn.split('/')[1]!])
    expect((await decrypt({ CiphertextBlob, KeyId: name })).Plaintext).toEqual(Plaintext)
  expect(kms.calls[0]).toEqual({
    operation: 'GenerateDataKey',
    keyId: 'alias/jeton',
    context: EncryptionContext,
    outcome: 'ok',
  })
})

test('startKms refuses to decrypt with another key or context, or a changed blob', async () => {
  const { CiphertextBlob } = await generate('alias/jeton')
  await expect(decrypt({ CiphertextBlob, KeyId: kms.addKey() })).rejects.toMatchObject({
    name: 'IncorrectKeyException',
  })
  const other = { ...EncryptionContext, table: 'other' }
  await expect(decrypt({ CiphertextBlob, EncryptionContext: other })).rejects.toMatchObject({
    name: 'InvalidCiphertextException',
  })
  await expect(decrypt({ CiphertextBlob: CiphertextBlob?.map(byte => byte ^ 1) })).rejects.toMatchObject({
    name: 'InvalidCiphertextException',
  })
  await expect(generate('alias/none')).rejects.toMatchObject({ name: 'NotFoundException' })
})

test('startKms denies, fails and resets connections until the fault is cleared', async () => {
  kms.faults.denied = true
  await expect(generate('alias/jeton')).rejects.toMatchObject({ name: 'AccessDeniedException' })
  kms.faults.denied = false
  kms.faults.failing = true
  await expect(generate('alias/jeton')).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } })
  kms.faults.failing = false
  kms.faults.gone = true
  await expect(generate('alias/jeton')).rejects.toMatchObject({ code: 'ECONNRESET' })
  kms.faults.gone = false
  await expect(generate('alias/jeton')).resolves.toBeDefined()
  expect(kms.calls.map(({ outcome }) => outcome)).toEqual([
    'AccessDeniedException',
    'KMSInternalException',
    'ok',
  ])
})

test('startKms refuses a request without a signature', async () => {
  const answer = await fetch(kms.url, {
    method: 'POST',
    headers: { 'x-amz-target': 'TrentService.GenerateDataKey' },
    body: '{"KeyId":"alias/jeton","KeySpec":"AES_256"}',
  })
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain('MissingAuthenticationToken')
})
