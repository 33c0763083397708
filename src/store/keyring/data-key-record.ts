import { parseJsonObject } from '../../lib/json.ts'

/** What KMS takes at most: https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
const MAX_ENCRYPTED_BYTES = 6144
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Returns the record of a data key that KMS has encrypted. */
export function encodeDataKey(encryptedKey: Uint8Array): Buffer {
  const sealed = Buffer.from(encryptedKey).toString('base64')
  return Buffer.from(JSON.stringify({ v: 1, sealed }))
}

/** Returns the encrypted data key of a record; undefined for anything that this release does not write. */
export function decodeDataKey(bytes: Uint8Array): Buffer | undefined {
  if (bytes.length > MAX_ENCRYPTED_BYTES * 2) return undefined
  const { v, sealed } = parseJsonObject(bytes) ?? {}
  if (v !== 1 || typeof sealed !== 'string' || !BASE64.test(sealed)) return undefined
  const encryptedKey = Buffer.from(sealed, 'base64')
  return encryptedKey.length <= MAX_ENCRYPTED_BYTES ? encryptedKey : undefined
}
