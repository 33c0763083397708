import type { KeyObject } from 'node:crypto'
import { keyDigest } from './key-digest.ts'
import type { Keyring } from './keyring.ts'

/**
 * Returns a keyring of keys from files, 32 bytes each: the first encrypts, all decrypt. Throws a TypeError for an empty list.
 * To rotate without an outage, add the new key as the second one on every instance before it becomes the first on any.
 * A key is good for 2^32 records (NIST SP 800-38D, 8.3): a hundred a second for more than a year.
 */
export function createFileKeyring(keys: readonly KeyObject[]): Keyring {
  const dataKeys = keys.map(secret => ({ id: `file/${keyDigest(secret)}`, secret }))
  const [first] = dataKeys
  if (!first) throw new TypeError('a keyring needs at least one key')
  return {
    encryptionKey: async () => first,
    decryptionKey: async id => dataKeys.find(key => key.id === id),
  }
}
