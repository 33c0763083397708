import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createFileKeyring } from '../../../src/store/keyring/file-keyring.ts'

const newKey = () => createSecretKey(randomBytes(32))

test('the first seals, all open, and no other', async () => {
  const [first, second, other] = [newKey(), newKey(), newKey()]
  const ring = createFileKeyring([first, second])
  const sealing = await ring.encryptionKey()
  expect(sealing.secret.equals(first)).toBe(true)
  expect((await ring.decryptionKey(sealing.id))?.secret.equals(first)).toBe(true)
  const { id } = await createFileKeyring([second]).encryptionKey()
  expect((await ring.decryptionKey(id))?.secret.equals(second)).toBe(true)
  expect(await ring.decryptionKey((await createFileKeyring([other]).encryptionKey()).id)).toBeUndefined()
})

test('an id is the same wherever the key is, and says nothing of it', async () => {
  const key = newKey()
  const { id } = await createFileKeyring([key]).encryptionKey()
  expect((await createFileKeyring([createSecretKey(key.export())]).encryptionKey()).id).toBe(id)
  const bytes = key.export()
  for (const encoding of ['hex', 'base64', 'base64url'] as const)
    expect(bytes.toString(encoding)).not.toContain(id.replace('file/', ''))
})

test('a ring shows no key, however it is printed', async () => {
  const key = newKey()
  const shown = JSON.stringify(await createFileKeyring([key]).encryptionKey())
  expect(shown).toMatch(/^\{"id":"file\/[0-9a-f]{16}","secret":\{\}\}$/)
})

test('a ring without a key is refused', () => {
  expect(() => createFileKeyring([])).toThrow(TypeError)
})
