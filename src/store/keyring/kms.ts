/** What a keyring asks of a key management service, for one key of it. */
export interface Kms {
  /** A new data key of 32 bytes, in clear and as the service seals it. Rejects with `temporarily_unavailable`. */
  generateDataKey(): Promise<{ readonly secret: Uint8Array; readonly sealed: Uint8Array }>
  /**
   * The data key that `sealed` holds; undefined where the service refuses to open it, which waiting does not change.
   * Rejects with `temporarily_unavailable` where it cannot be asked.
   */
  decrypt(sealed: Uint8Array): Promise<Uint8Array | undefined>
}
