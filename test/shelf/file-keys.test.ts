import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { fileKeyring } from '../../src/shelf/file-keys.ts'

const newKey = () => createSecretKey(randomBytes(32))

test('the first seals, all open, and no other', async () => {
  const [first, second, other] = [newKey(), newKey(), newKey()]
  const ring = fileKeyring([first, second])
  const sealing = await ring.sealing()
  expect(sealing.secret.equals(first)).toBe(true)
  expect((await ring.opening(sealing.id))?.secret.equals(first)).toBe(true)
  const { id } = await fileKeyring([second]).sealing()
  expect((await ring.opening(id))?.secret.equals(second)).toBe(true)
  expect(await ring.opening((await fileKeyring([other]).sealing()).id)).toBeUndefined()
})

test('an id is the same wherever the key is, and says nothing of it', async () => {
  const key = newKey()
  const { id } = await fileKeyring([key]).sealing()
  expect((await fileKeyring([createSecretKey(key.export())]).sealing()).id).toBe(id)
  const bytes = key.export()
  for (const encoding of ['hex', 'base64', 'base64url'] as const)
    expect(bytes.toString(encoding)).not.toContain(id.replace('file/', ''))
})

test('a ring shows no key, however it is printed', async () => {
  const key = newKey()
  const shown = JSON.stringify(await fileKeyring([key]).sealing())
  expect(shown).toMatch(/^\{"id":"file\/[0-9a-f]{16}","secret":\{\}\}$/)
})

test('a ring without a key is refused', () => {
  expect(() => fileKeyring([])).toThrow(TypeError)
})
