/** What a keyring asks of a key management service, for one key of it. */
export interface Kms {
  /**
   * Returns a new data key of 32 bytes, in clear and encrypted by the service. Rejects with `temporarily_unavailable`.
   */
  generateDataKey(): Promise<{ readonly secret: Uint8Array; readonly encryptedKey: Uint8Array }>
  /**
   * Returns the data key in clear, or undefined if the service refuses to decrypt it, which waiting does not change.
   * Rejects with `temporarily_unavailable` if the service cannot be asked.
   */
  decrypt(encryptedKey: Uint8Array): Promise<Uint8Array | undefined>
}
