import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { encryptStore } from '../../src/store/encrypted-store.ts'
import { createFileKeyring } from '../../src/store/keyring/file-keyring.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { EncryptedStore, Store } from '../../src/store/store.ts'
import { readSources } from '../house/source-files.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

test('an EncryptedStore is made only by encryptStore and createMemoryStore', () => {
  const makers = readSources()
    .filter(({ path }) => path.startsWith('src/'))
    .filter(({ text }) => /\bas EncryptedStore\b/.test(text))
    .map(({ path }) => path)
  expect(makers.sort()).toEqual(['src/store/encrypted-store.ts', 'src/store/memory.ts'])
})

test('neither a plain store nor a spread compiles in the place of an EncryptedStore', () => {
  const use = (_store: EncryptedStore) => {}
  const combine = (plain: Store, encrypted: EncryptedStore) => {
    use(encrypted)
    // @ts-expect-error it would store tokens in clear
    use(plain)
    // @ts-expect-error the plain methods would replace the encrypted ones
    use({ ...encrypted, ...plain })
  }
  expect(combine).toBeDefined()
})

test('no method of a plain store can be assigned to an EncryptedStore', () => {
  const clock = virtualClock()
  const plain: Store = { ...createMemoryStore(clock) }
  const inner = createMemoryStore(clock)
  const keyring = createFileKeyring([createSecretKey(randomBytes(32))])
  for (const encrypted of [encryptStore(inner, { keyring, clock }), createMemoryStore(clock)])
    expect(() => Object.assign(encrypted, plain)).toThrow(TypeError)
})
