import type { EncryptedStore, Store } from '../../../src/store/store.ts'

/** Uses a plain store where an encrypted one is required: the tokens of tests are no secrets. */
export function asEncrypted(store: Store): EncryptedStore {
  return store as EncryptedStore
}
