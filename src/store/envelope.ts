import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { parseJsonObject } from '../lib/json.ts'
import type { DataKey } from './keyring/keyring.ts'

const VERSION = 1
const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const LINE_END = 0x0a
/** Anyone who can write to the table can put anything in front of the first line's end. */
const MAX_HEADER_BYTES = 1024
const KEY_ID = /^[\w./-]{1,100}$/

/**
 * The first line of an envelope, which is JSON and not encrypted; the encrypted record follows:
 *
 *     {"v":1,"key":"file/9f86d0818c7d659a","keepUntil":1795428540000}⏎ nonce (12) · ciphertext · tag (16)
 *
 * Every later version must keep the first line as JSON of 1 KB at most, with an integer `v` above 1 and `keepUntil`: releases
 * that cannot decrypt it use these two. Without `keepUntil` the record may be overwritten at any time.
 */
export interface EnvelopeHeader {
  /** Whether this release knows the envelope's version. */
  readonly isKnownVersion: boolean
  /** The id of the data key; empty if the header has none, or no valid one. */
  readonly keyId: string
  /** Milliseconds since the epoch; 0 if the header has none. It may be any number. */
  readonly keepUntil: number
}

/** The parts of an envelope. What the header says is not proven until `decrypt` succeeds. */
export interface Envelope {
  readonly header: EnvelopeHeader
  /** The first line as it was read, byte for byte: it is authenticated with the record. */
  readonly headerText: string
  /** nonce · ciphertext · tag */
  readonly payload: Buffer
}

/** Exists for the compiler alone. */
declare class EnvelopeBrand {
  protected readonly isEnvelope: true
}

/** The bytes of an envelope. Only `encrypt` makes them, so that no plaintext compiles in their place. */
export type EnvelopeBytes = Buffer & EnvelopeBrand

export interface EncryptOptions {
  /** The key under which the record is stored; `decrypt` needs the same. */
  readonly recordKey: string
  readonly keepUntil?: number | undefined
  readonly dataKey: DataKey
}

/**
 * Returns an envelope with `bytes` encrypted under AES-256-GCM. The header and the record's key are authenticated too: an
 * envelope whose header was changed, or that was moved to another key, does not decrypt.
 */
export function encrypt(bytes: Uint8Array, { recordKey, keepUntil, dataKey }: EncryptOptions): EnvelopeBytes {
  const headerText = JSON.stringify({ v: VERSION, key: dataKey.id, keepUntil })
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, dataKey.secret, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(associatedData(headerText, recordKey))
  const ciphertext = [cipher.update(bytes), cipher.final()]
  const envelope = Buffer.concat([Buffer.from(`${headerText}\n`), nonce, ...ciphertext, cipher.getAuthTag()])
  return envelope as EnvelopeBytes
}

/** Returns the parts of an envelope without decrypting anything; undefined if the record is not an envelope. */
export function parseEnvelope(record: Uint8Array): Envelope | undefined {
  const bytes = Buffer.from(record)
  const headerEnd = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(LINE_END)
  if (headerEnd < 0) return undefined
  const headerText = bytes.toString('utf8', 0, headerEnd)
  const header = parseHeader(headerText)
  return header && { header, headerText, payload: bytes.subarray(headerEnd + 1) }
}

/**
 * Returns the bytes that were encrypted; undefined if the authentication tag does not match, because the envelope was
 * forged or changed, belongs to another record, or was encrypted with another key.
 */
export function decrypt(
  { headerText, payload }: Envelope,
  { recordKey, secret }: { recordKey: string; secret: KeyObject },
): Buffer | undefined {
  if (payload.length < NONCE_BYTES + TAG_BYTES) return undefined
  const nonce = payload.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(associatedData(headerText, recordKey))
  decipher.setAuthTag(payload.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(payload.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

function associatedData(headerText: string, recordKey: string): Buffer {
  return Buffer.from(JSON.stringify([headerText, recordKey]))
}

function parseHeader(text: string): EnvelopeHeader | undefined {
  const { v, key, keepUntil } = parseJsonObject(text) ?? {}
  if (typeof v !== 'number' || !Number.isInteger(v) || v < VERSION) return undefined
  return {
    isKnownVersion: v === VERSION,
    keyId: typeof key === 'string' && KEY_ID.test(key) ? key : '',
    keepUntil: typeof keepUntil === 'number' ? keepUntil : 0,
  }
}
