import type { EncryptedStore, Store } from '../../../src/store/store.ts'

/** Lets a test's own store stand where secrets are kept: no token of a test is one. */
export function asEncrypted(store: Store): EncryptedStore {
  return store as EncryptedStore
}
