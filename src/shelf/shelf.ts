/** One record as it was read. `version` is opaque: only good for a `swap` of the same key. */
export interface Shelved {
  readonly bytes: Uint8Array
  readonly version: string
}

/**
 * What a fleet shares: records that can be put where nobody has changed them since they were read.
 * Everything else that instances agree on (turns, leases, tokens) is plain logic over this.
 */
export interface Shelf {
  /** The record under `key`, or undefined where there is none or it has expired. */
  read(key: string): Promise<Shelved | undefined>
  /**
   * Puts `bytes` under `key` if its record still has version `was` (or is absent) and gives the new version, else 'conflict'.
   * From `expiresAt` (ms) on it is absent to everyone. Rejects with `temporarily_unavailable` where the store cannot be
   * reached; the swap may then have happened all the same.
   */
  swap(change: {
    key: string
    bytes: Uint8Array
    was: string | 'absent'
    expiresAt: number
  }): Promise<string | 'conflict'>
}
