/** What a keyring needs of a key management service, for one of its keys. */
export interface Kms {
  /** Returns a new data key of 32 bytes, in clear and encrypted by the service. Rejects with `temporarily_unavailable`. */
  generateDataKey(): Promise<{ readonly secret: Uint8Array; readonly encryptedKey: Uint8Array }>
  /**
   * Returns the data key in clear, or undefined if the service refuses to decrypt it and always will. Rejects
   * with `temporarily_unavailable` if the service does not answer.
   */
  decrypt(encryptedKey: Uint8Array): Promise<Uint8Array | undefined>
}
