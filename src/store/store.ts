/** One record as it was read. */
export interface StoredRecord {
  readonly bytes: Uint8Array
  /** Opaque: good only as the `expectedVersion` of a write to the same key. */
  readonly version: string
}

/** A record to write. */
export interface RecordWrite {
  readonly key: string
  readonly bytes: Uint8Array
  /** The version that was read, or 'absent' if there was no record. */
  readonly expectedVersion: string | 'absent'
  /** From then on (ms since the epoch) the record is absent to everyone; `MAX_LIFE_MS` from now at most. */
  readonly expiresAt: number
  /**
   * Until then (ms since the epoch) an instance that cannot read the record must not overwrite it; unless given, it may at
   * any time. Nobody who cannot read it leaves it alone for longer than `MAX_KEPT_MS`.
   */
  readonly keepUntil?: number
}

/**
 * What a fleet shares: records with compare-and-swap. Everything else that instances agree on (slots, leases, tokens, role
 * failures) is built on this.
 */
export interface Store {
  /**
   * Returns the record of `key`, or undefined if there is none or it has expired. Rejects with `temporarily_unavailable` if
   * the store cannot be reached, or with `UnreadableRecord`.
   */
  read(key: string): Promise<StoredRecord | undefined>
  /**
   * Writes a record if its version is still the expected one. Returns the new version, or 'conflict' if another write came
   * first. Rejects as `read` does; a write that was rejected may have happened all the same.
   */
  compareAndSwap(write: RecordWrite): Promise<string | 'conflict'>
}

/** Exists for the compiler alone. A protected member of a class is not part of what a spread copies. */
declare class EncryptedBrand {
  protected readonly isEncrypted: true
}

/**
 * A store that may hold secrets, because whatever leaves the process is encrypted. Only `encryptStore` makes one of a shared
 * store; a store in memory is one by itself. Neither a plain `Store` nor a spread, such as `{ ...encrypted, ...plain }`,
 * compiles in its place.
 */
export type EncryptedStore = Store & EncryptedBrand
