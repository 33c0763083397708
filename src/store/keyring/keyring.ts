import type { KeyObject } from 'node:crypto'

/** A key that records are sealed with. */
export interface DataKey {
  /** Stands readable beside what it seals; tells nothing of the key. */
  readonly id: string
  /** 32 bytes, for AES-256. An object, so that no log and no JSON can show it by accident. */
  readonly secret: KeyObject
}

/** The keys of everything that is sealed on a store. */
export interface Keyring {
  /** The key to seal with now. Rejects with `temporarily_unavailable` where none can be had. */
  encryptionKey(): Promise<DataKey>
  /**
   * The key of that id; undefined where this instance has none such. An id is read from a record, and so may be anything.
   * Rejects with `temporarily_unavailable` where that cannot be said at the moment.
   */
  decryptionKey(id: string): Promise<DataKey | undefined>
}
