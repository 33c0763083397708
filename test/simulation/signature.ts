import { sha256Hex } from '../../src/lib/hash.ts'
import { lifetimeOf } from '../../src/tokens/lifetime.ts'
import type { RoleSession, Token } from '../../src/tokens/token.ts'
import type { TokenKey } from '../../src/tokens/token-key.ts'

/**
 * Makes a token about twenty times faster than SigV4 does. Like SigV4 it returns the same text for the same credentials,
 * user, endpoint and second, and another for any other. All strategies sign with it.
 */
export function simulateSignature(
  { database, user }: Pick<TokenKey, 'database' | 'user'>,
  { session, at }: { session: RoleSession; at: number },
): Token {
  const issuedAt = Math.floor(at / 1000) * 1000
  const text = `${database.host}:${database.port}/?DBUser=${user}&By=${session.accessKeyId}&At=${issuedAt}`
  return {
    text,
    fingerprint: sha256Hex(text),
    identity: session.identity,
    ...lifetimeOf({ issuedAt, sessionExpiresAt: session.expiresAt }),
  }
}
