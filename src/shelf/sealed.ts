import type { Clock } from '../clock.ts'
import { parseEnvelope, seal, unseal } from './envelope.ts'
import type { Keyring } from './keyring.ts'
import type { Shelf } from './shelf.ts'
import { unreadable } from './unreadable.ts'

export interface SealedParts {
  keyring: Keyring
  clock: Clock
  /** Told of each record that is refused because it cannot be opened and is still of use to somebody. */
  onUnreadable?: (record: { key: string; why: string }) => void
}

type Opened = { readonly bytes: Uint8Array } | { readonly why: string; readonly keepUntil: number }

/**
 * A shelf on which nobody can read or change anything without the keys. A record that this instance cannot open (sealed by
 * a key it does not have or by a newer release, or forged) is `unreadable` and never overwritten before its `keepUntil`;
 * from then on it is as good as absent, so that instances with different keys do not fight over a record and none of
 * them waits for ever.
 *
 * It does not hide keys, sizes and times, nor notice that a record is gone or that an older one has been put back.
 */
export function sealedShelf(inner: Shelf, { keyring, clock, onUnreadable }: SealedParts): Shelf {
  async function open(key: string, record: Uint8Array): Promise<Opened> {
    const envelope = parseEnvelope(record)
    if (!envelope) return { why: 'it is no sealed record', keepUntil: 0 }
    const { isKnown, keyId, keepUntil } = envelope.label
    if (!isKnown) return { why: 'a newer release has sealed it', keepUntil }
    const dataKey = await keyring.opening(keyId)
    if (!dataKey) {
      const why = `a key that this instance does not have has sealed it (${keyId}): all that share a store need the same store.encryption`
      return { why, keepUntil }
    }
    const bytes = unseal(envelope, { of: key, secret: dataKey.secret })
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
    throw unreadable({ key, why, keepUntil })
  }

  return {
    async read(key) {
      const found = await inner.read(key)
      const bytes = found && (await contentsOf(key, found.bytes))
      return bytes && { bytes, version: found.version }
    },
    async swap(change) {
      const { key, keepUntil, was } = change
      const sealed = seal({ bytes: change.bytes, of: key, keepUntil }, await keyring.sealing())
      const swapped = await inner.swap({ ...change, bytes: sealed })
      if (swapped !== 'conflict' || was !== 'absent') return swapped
      // what looked absent to who read it may be a record that is past its use
      const found = await inner.read(key)
      if (!found || (await contentsOf(key, found.bytes))) return 'conflict'
      return inner.swap({ ...change, bytes: sealed, was: found.version })
    },
  }
}
