import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createFileKeyring } from '../../../src/store/keyring/file-keyring.ts'

const newKey = () => createSecretKey(randomBytes(32))

test('createFileKeyring encrypts with the first key and decrypts with all, and no other', async () => {
  const [first, second, other] = [newKey(), newKey(), newKey()]
  const keyring = createFileKeyring([first, second])
  const encryptionKey = await keyring.encryptionKey()
  expect(encryptionKey.secret.equals(first)).toBe(true)
  expect((await keyring.decryptionKey(encryptionKey.id))?.secret.equals(first)).toBe(true)
  const { id } = await createFileKeyring([second]).encryptionKey()
  expect((await keyring.decryptionKey(id))?.secret.equals(second)).toBe(true)
  expect(await keyring.decryptionKey((await createFileKeyring([other]).encryptionKey()).id)).toBeUndefined()
})

test('a key id is the same on every instance, and shows nothing of the key', async () => {
  const key = newKey()
  const { id } = await createFileKeyring([key]).encryptionKey()
  expect((await createFileKeyring([createSecretKey(key.export())]).encryptionKey()).id).toBe(id)
  const bytes = key.export()
  for (const encoding of ['hex', 'base64', 'base64url'] as const)
    expect(bytes.toString(encoding)).not.toContain(id.replace('file/', ''))
})

test('a data key printed as JSON shows no secret', async () => {
  const key = newKey()
  const printed = JSON.stringify(await createFileKeyring([key]).encryptionKey())
  expect(printed).toMatch(/^\{"id":"file\/[0-9a-f]{16}","secret":\{\}\}$/)
})

test('createFileKeyring throws for an empty list', () => {
  expect(() => createFileKeyring([])).toThrow(TypeError)
})

test('a key id is the one that older releases wrote into records', async () => {
  const key = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))
  const { id } = await createFileKeyring([key]).encryptionKey()
  expect(id).toBe('file/d5d69da40769b6dd')
})
