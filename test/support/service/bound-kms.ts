import { randomBytes } from 'node:crypto'
import type { Kms } from '../../../src/store/keyring/kms.ts'

/** A KMS in memory, which decrypts a data key only for what it was bound to, and the calls that it had. */
export interface BoundKms extends Kms {
  readonly calls: { generated: number; decrypted: number }
}

/** Returns a KMS that never fails. */
export function createBoundKms(): BoundKms {
  const secrets = new Map<string, Buffer>()
  const calls = { generated: 0, decrypted: 0 }
  const idOf = (encryptedKey: Uint8Array, boundTo: string | undefined) =>
    `${Buffer.from(encryptedKey).toString('hex')} ${boundTo}`
  return {
    calls,
    async generateDataKey(boundTo) {
      calls.generated++
      const [secret, encryptedKey] = [randomBytes(32), randomBytes(184)]
      secrets.set(idOf(encryptedKey, boundTo), secret)
      return { secret, encryptedKey }
    },
    async decrypt(encryptedKey, boundTo) {
      calls.decrypted++
      return secrets.get(idOf(encryptedKey, boundTo))
    },
  }
}
