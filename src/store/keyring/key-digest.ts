import { createHmac, type KeyObject } from 'node:crypto'

const HEX_DIGITS = 16
/** Part of every id of a key: with another text, no record under an existing key could be read. */
const ID_TEXT = 'the id of a key of jeton'

/** Returns 16 hex digits that are the same on every instance. It is an HMAC under the key, so it reveals nothing of the key. */
export function keyDigest(secret: KeyObject): string {
  return createHmac('sha256', secret).update(ID_TEXT).digest('hex').slice(0, HEX_DIGITS)
}
