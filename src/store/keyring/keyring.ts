import type { KeyObject } from 'node:crypto'

/** A key that records are encrypted with. */
export interface DataKey {
  /** Stands in clear in each record that is encrypted with it; reveals nothing of the secret. */
  readonly id: string
  /** 32 bytes, for AES-256. A KeyObject, so that no log and no JSON shows it by accident. */
  readonly secret: KeyObject
}

/** The keys of all records of an encrypted store. */
export interface Keyring {
  /** Returns the key to encrypt with now. Rejects with `temporarily_unavailable` if there is none now. */
  encryptionKey(): Promise<DataKey>
  /**
   * Returns the key of that id, or undefined if this instance cannot have it. The id comes from a record, so it may be any
   * text. Rejects with `temporarily_unavailable` if this cannot be found out now.
   */
  decryptionKey(id: string): Promise<DataKey | undefined>
}
