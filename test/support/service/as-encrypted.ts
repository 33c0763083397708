import type { EncryptedStore, Store } from '../../../src/store/store.ts'

/** Returns a plain store as an encrypted one: the tokens of tests are not secrets. */
export function asEncrypted(store: Store): EncryptedStore {
  return store as EncryptedStore
}
