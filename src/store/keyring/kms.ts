/** What a keyring needs of a key management service, for one of its keys. */
export interface Kms {
  /**
   * Returns a new data key of 32 bytes, in clear and encrypted by the service, which decrypts it only for the same `boundTo`.
   * Rejects with `temporarily_unavailable`.
   */
  generateDataKey(boundTo: string): Promise<GeneratedDataKey>
  /**
   * Returns the data key in clear, or undefined if the service refuses to decrypt it and always will, because it is
   * forged, of another key, or bound to something else; undefined as `boundTo` is for keys that are bound to nothing. Rejects
   * with `temporarily_unavailable` if the service does not answer.
   */
  decrypt(encryptedKey: Uint8Array, boundTo: string | undefined): Promise<Uint8Array | undefined>
}

export interface GeneratedDataKey {
  readonly secret: Uint8Array
  readonly encryptedKey: Uint8Array
}
