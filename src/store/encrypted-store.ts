import type { Clock } from '../lib/clock.ts'
import { decrypt, encrypt, parseEnvelope } from './envelope.ts'
import type { Keyring } from './keyring/keyring.ts'
import type { EncryptedStore, Store } from './store.ts'
import { unreadableRecord } from './unreadable-record.ts'

export interface EncryptedStoreParts {
  keyring: Keyring
  clock: Clock
  /** Told of each record that is refused because it cannot be opened and is still of use to somebody. */
  onUnreadable?: (record: { key: string; why: string }) => void
}

type Opened = { readonly bytes: Uint8Array } | { readonly why: string; readonly keepUntil: number }

/**
 * A store on which nobody can read or change anything without the keys. A record that this instance cannot open (sealed by
 * a key it does not have or by a newer release, or forged) is `unreadable` and never overwritten before its `keepUntil`;
 * from then on it is as good as absent, so that instances with different keys do not fight over a record and none of
 * them waits for ever.
 *
 * It does not hide keys, sizes and times, nor notice that a record is gone or that an older one has been put back.
 */
export function encryptStore(
  inner: Store,
  { keyring, clock, onUnreadable }: EncryptedStoreParts,
): EncryptedStore {
  async function open(key: string, record: Uint8Array): Promise<Opened> {
    const envelope = parseEnvelope(record)
    if (!envelope) return { why: 'it is no sealed record', keepUntil: 0 }
    const { isKnown, keyId, keepUntil } = envelope.label
    if (!isKnown) return { why: 'a newer release has sealed it', keepUntil }
    const dataKey = await keyring.decryptionKey(keyId)
    if (!dataKey) {
      const why = `a key that this instance does not have has sealed it (${keyId}): all that share a store need the same store.encryption`
      return { why, keepUntil }
    }
    const bytes = decrypt(envelope, { of: key, secret: dataKey.secret })
    return bytes
      ? { bytes }
      : { why: 'its seal is broken: it was changed, or is of another record', keepUntil }
  }

  /** What is in the record; undefined where it cannot be opened and is of no use any more. */
  async function contentsOf(key: string, record: Uint8Array): Promise<Uint8Array | undefined> {
    const opened = await open(key, record)
    if ('bytes' in opened) return opened.bytes
    const { why, keepUntil } = opened
    if (clock.now() >= keepUntil) return undefined
    onUnreadable?.({ key, why })
    throw unreadableRecord({ key, why, keepUntil })
  }

  const store: Store = {
    async read(key) {
      const found = await inner.read(key)
      const bytes = found && (await contentsOf(key, found.bytes))
      return bytes && { bytes, version: found.version }
    },
    async compareAndSwap(change) {
      const { key, keepUntil, expectedVersion } = change
      const sealed = encrypt({ bytes: change.bytes, of: key, keepUntil }, await keyring.encryptionKey())
      const swapped = await inner.compareAndSwap({ ...change, bytes: sealed })
      if (swapped !== 'conflict' || expectedVersion !== 'absent') return swapped
      // what looked absent to who read it may be a record that is past its use
      const found = await inner.read(key)
      if (!found || (await contentsOf(key, found.bytes))) return 'conflict'
      return inner.compareAndSwap({ ...change, bytes: sealed, expectedVersion: found.version })
    },
  }
  return store as EncryptedStore
}
