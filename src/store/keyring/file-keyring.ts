import { createHmac, type KeyObject } from 'node:crypto'
import type { Keyring } from './keyring.ts'

const ID_HEX_DIGITS = 16
/** Part of every id: with another text, no record under a key file could be read. */
const ID_TEXT = 'the id of a key of jeton'

/**
 * Returns a keyring of keys from files, 32 bytes each: the first encrypts, all decrypt. Throws a TypeError for an empty list.
 * To rotate without an outage, add the new key as the second one on every instance before it becomes the first on any.
 * A key is good for 2^32 records (NIST SP 800-38D, 8.3): a hundred a second for more than a year.
 */
export function createFileKeyring(keys: readonly KeyObject[]): Keyring {
  const dataKeys = keys.map(secret => ({ id: keyId(secret), secret }))
  const [first] = dataKeys
  if (!first) throw new TypeError('a keyring needs at least one key')
  return {
    encryptionKey: async () => first,
    decryptionKey: async id => dataKeys.find(key => key.id === id),
  }
}

/** Returns the same id on every instance. It is an HMAC under the key, so it reveals nothing of the key. */
function keyId(secret: KeyObject): string {
  const digest = createHmac('sha256', secret).update(ID_TEXT).digest('hex')
  return `file/${digest.slice(0, ID_HEX_DIGITS)}`
}
