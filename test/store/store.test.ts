import { expect, test } from 'vitest'
import type { EncryptedStore, Store } from '../../src/store/store.ts'
import { readSources } from '../house/source-files.ts'

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
