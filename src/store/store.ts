/** One record as it was read. `version` is opaque: only good for a `swap` of the same key. */
export interface StoredRecord {
  readonly bytes: Uint8Array
  readonly version: string
}

/** One record as it is to stand from now on. */
export interface RecordWrite {
  readonly key: string
  readonly bytes: Uint8Array
  /** The version it was read with, or that there was none. */
  readonly expectedVersion: string | 'absent'
  /** From then on (ms) it is absent to everyone. */
  readonly expiresAt: number
  /** Until then (ms) it is of use: who shares the store and cannot read it must leave it alone. Nothing, unless given. */
  readonly keepUntil?: number
}

/**
 * What a fleet shares: records that can be put where nobody has changed them since they were read.
 * Everything else that instances agree on (turns, leases, tokens) is plain logic over this.
 */
export interface Store {
  /** The record under `key`, or undefined where there is none or it has expired. */
  read(key: string): Promise<StoredRecord | undefined>
  /**
   * Puts `bytes` under `key` if its record still has version `was` (or is absent) and gives the new version, else 'conflict'.
   * Rejects with `temporarily_unavailable` where the store cannot be reached; the swap may then have happened all the same.
   */
  compareAndSwap(change: RecordWrite): Promise<string | 'conflict'>
}

declare const isEncrypted: unique symbol

/**
 * A store that may hold secrets: whatever leaves the process is encrypted. Only `encryptStore` makes one of a shared store;
 * a store in memory is one by itself. A plain `Store` in its place does not compile.
 */
export interface EncryptedStore extends Store {
  readonly [isEncrypted]: true
}
