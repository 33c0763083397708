import type { Clock } from '../lib/clock.ts'
import { decrypt, type EnvelopeBytes, encrypt, parseEnvelope } from './envelope.ts'
import type { Keyring } from './keyring/keyring.ts'
import { createPatience, type Patience } from './patience.ts'
import { UnreadableRecord } from './record-format.ts'
import type { EncryptedStore, RecordWrite, Store } from './store.ts'

/** A store as far as `encryptStore` may use it: it writes envelopes, and plaintext does not compile. */
interface EnvelopeStore extends Pick<Store, 'read'> {
  compareAndSwap(write: RecordWrite & { readonly bytes: EnvelopeBytes }): Promise<string | 'conflict'>
}

export interface EncryptedStoreParts {
  keyring: Keyring
  clock: Clock
  /** The one of the inner store, if that has one: what each does not let pass counts together. */
  patience?: Patience
  /** Called for each record that cannot be decrypted, whenever it is met. */
  onUnreadable?: (record: { key: string; why: string }) => void
}

type Decryption = { readonly bytes: Uint8Array } | { readonly why: string; readonly keepUntil: number }

/**
 * Returns a store whose records can be read and changed only with the keys. One that a newer release wrote, or that is under
 * a key which this instance does not have, is an `UnreadableRecord` and not overwritten before its `keepUntil`, 16 s at most.
 * After that it counts as absent, and one that was forged does so at once. It does not hide record keys, sizes and times,
 * nor detect a deleted record or an older one put back: whoever uses it bounds what a record says by the time in it.
 */
export function encryptStore(
  inner: EnvelopeStore,
  { keyring, clock, patience = createPatience(clock), onUnreadable }: EncryptedStoreParts,
): EncryptedStore {
  async function tryDecrypt(key: string, record: Uint8Array): Promise<Decryption> {
    const envelope = parseEnvelope(record)
    if (!envelope) return { why: 'it is not encrypted', keepUntil: 0 }
    const { isKnownVersion, keyId, keepUntil } = envelope.header
    if (!isKnownVersion) return { why: 'a newer release encrypted it', keepUntil }
    const dataKey = await keyring.decryptionKey(keyId)
    if (!dataKey) {
      // the id is not shown: it may be any text
      const why =
        'it is encrypted with a key that this instance does not have: all instances that share a store need the same store.encryption'
      return { why, keepUntil }
    }
    const bytes = decrypt(envelope, { recordKey: key, secret: dataKey.secret })
    const why = 'its authentication tag does not match: it was changed, or belongs to another record'
    return bytes ? { bytes } : { why, keepUntil: 0 }
  }

  /** Returns the decrypted bytes; undefined if they cannot be decrypted and the record may be overwritten. */
  async function decryptRecord(key: string, record: Uint8Array): Promise<Uint8Array | undefined> {
    const decryption = await tryDecrypt(key, record)
    if ('bytes' in decryption) return decryption.bytes
    const { why, keepUntil } = decryption
    onUnreadable?.({ key, why })
    if (patience.leavesAlone(key, keepUntil)) throw new UnreadableRecord({ key, why, keepUntil })
    return undefined
  }

  const store: Store = {
    async read(key) {
      const record = await inner.read(key)
      const bytes = record && (await decryptRecord(key, record.bytes))
      return bytes && { bytes, version: record.version }
    },
    async compareAndSwap(write) {
      const { bytes: plaintext, ...metadata } = write
      const { key, keepUntil, expectedVersion } = metadata
      const dataKey = await keyring.encryptionKey()
      const envelope = encrypt(plaintext, { recordKey: key, keepUntil, dataKey })
      const outcome = await inner.compareAndSwap({ ...metadata, bytes: envelope })
      if (outcome !== 'conflict' || expectedVersion !== 'absent') return outcome
      // what `read` returned as absent may be a record that cannot be decrypted and is past its keepUntil
      const record = await inner.read(key)
      if (!record || (await decryptRecord(key, record.bytes))) return 'conflict'
      return inner.compareAndSwap({ ...metadata, bytes: envelope, expectedVersion: record.version })
    },
  }
  // frozen, so that no method of a plain store can be assigned to it
  return Object.freeze(store) as EncryptedStore
}
