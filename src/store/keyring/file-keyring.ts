import { createHmac, type KeyObject } from 'node:crypto'
import type { Keyring } from './keyring.ts'

const ID_HEX_DIGITS = 16

/**
 * Keys from files, 32 bytes each and one at least: the first seals, all open. To rotate without a gap, every instance is
 * given the new one as the second before any is given it as the first. A key is good for 2^32 records
 * (NIST SP 800-38D, 8.3): a hundred a second for more than a year.
 */
export function createFileKeyring(keys: readonly KeyObject[]): Keyring {
  const dataKeys = keys.map(secret => ({ id: idOf(secret), secret }))
  const [first] = dataKeys
  if (!first) throw new TypeError('a keyring needs a key')
  return {
    encryptionKey: async () => first,
    decryptionKey: async id => dataKeys.find(key => key.id === id),
  }
}

/** The same on every instance. As an HMAC under the key it says nothing of it, and is nothing that the key is used for. */
function idOf(secret: KeyObject): string {
  const mark = createHmac('sha256', secret).update('the id of a key of jeton').digest('hex')
  return `file/${mark.slice(0, ID_HEX_DIGITS)}`
}
