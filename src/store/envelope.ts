import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import type { DataKey } from './keyring/keyring.ts'

const VERSION = 1
const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const LINE_END = 0x0a
/** Of a Date: ECMA-262, 21.4.1.1. */
const LAST_TIME_MS = 8.64e15
const KEY_ID = /^[\w./-]{1,100}$/

/**
 * A sealed record: one line of JSON that everybody can read, the label, and then the seal.
 *
 *     {"v":1,"key":"file/9f86d0818c7d659a","keepUntil":1795428540000}⏎ nonce (12) · ciphertext · tag (16)
 *
 * Every later version must keep the first line as JSON with a whole `v` above 1 and `keepUntil`: releases that cannot open
 * it go by these two. Where `keepUntil` lacks, nothing is to be kept.
 */
export interface Label {
  /** Whether this release knows how to open it. */
  readonly isKnown: boolean
  /** The id of the data key; empty where it is no such thing. */
  readonly keyId: string
  readonly keepUntil: number
}

/** A record as it was read, in its parts. */
export interface Envelope {
  readonly label: Label
  /** The first line to the letter. */
  readonly labelText: string
  readonly seal: Buffer
}

export interface Contents {
  readonly bytes: Uint8Array
  /** The key of the record on the store. */
  readonly of: string
  readonly keepUntil?: number | undefined
}

/** Seals with AES-256-GCM: who changes the label, or lays the record under another key, breaks the seal. */
export function encrypt({ bytes, of, keepUntil }: Contents, { id, secret }: DataKey): Buffer {
  const labelText = JSON.stringify({ v: VERSION, key: id, keepUntil })
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(associated(labelText, of))
  const ciphertext = [cipher.update(bytes), cipher.final()]
  return Buffer.concat([Buffer.from(`${labelText}\n`), nonce, ...ciphertext, cipher.getAuthTag()])
}

/** Takes a record apart, opening nothing: whatever the label says is unproved. Undefined where it is no sealed record. */
export function parseEnvelope(record: Uint8Array): Envelope | undefined {
  const bytes = Buffer.from(record)
  const end = bytes.indexOf(LINE_END)
  if (end < 0) return undefined
  const labelText = bytes.toString('utf8', 0, end)
  const label = parseLabel(labelText)
  return label && { label, labelText, seal: bytes.subarray(end + 1) }
}

/** What `seal` was given, or undefined where the seal is broken: forged, changed, or of another record or key. */
export function decrypt(
  { labelText, seal }: Envelope,
  { of, secret }: { of: string; secret: KeyObject },
): Buffer | undefined {
  if (seal.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv(CIPHER, secret, seal.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(associated(labelText, of))
  decipher.setAuthTag(seal.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(seal.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

function associated(labelText: string, of: string): Buffer {
  return Buffer.from(JSON.stringify([labelText, of]))
}

function parseLabel(text: string): Label | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { v, key, keepUntil } = value as { v?: unknown; key?: unknown; keepUntil?: unknown }
  if (typeof v !== 'number' || !Number.isInteger(v)) return undefined
  const isTime = typeof keepUntil === 'number' && Math.abs(keepUntil) <= LAST_TIME_MS
  return {
    isKnown: v === VERSION,
    keyId: typeof key === 'string' && KEY_ID.test(key) ? key : '',
    keepUntil: isTime ? keepUntil : 0,
  }
}
