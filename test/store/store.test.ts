import { expect, test } from 'vitest'
import { readSources } from '../house/source-files.ts'

test('an EncryptedStore is made only by encryptStore and createMemoryStore', () => {
  const makers = readSources()
    .filter(({ path }) => path.startsWith('src/'))
    .filter(({ text }) => /\bas EncryptedStore\b/.test(text))
    .map(({ path }) => path)
  expect(makers.sort()).toEqual(['src/store/encrypted-store.ts', 'src/store/memory.ts'])
})
