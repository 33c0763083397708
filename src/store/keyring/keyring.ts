import type { KeyObject } from 'node:crypto'

/** A key that records are encrypted with. */
export interface DataKey {
  /** Stands in clear in each record that is encrypted with it; says nothing of the secret. */
  readonly id: string
  /** 32 bytes, for AES-256. A KeyObject, so that no log and no JSON shows it by accident. */
  readonly secret: KeyObject
}

/** The keys of all records of an encrypted store. */
export interface Keyring {
  /** Returns the key to encrypt with now. Rejects with `temporarily_unavailable` if there is none at the moment. */
  encryptionKey(): Promise<DataKey>
  /**
   * Returns the key of that id, or undefined if this instance cannot have it. The id comes out of a record, so it may be
   * anything. Rejects with `temporarily_unavailable` if it is not known at the moment whether there is such a key.
   */
  decryptionKey(id: string): Promise<DataKey | undefined>
}
