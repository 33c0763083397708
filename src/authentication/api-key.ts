import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { JetonError } from '../errors.ts'
import { sha256Hex } from '../lib/hash.ts'
import type { AuthScheme, Principal } from './principal.ts'
import { unauthenticated } from './unauthenticated.ts'

/** The issuer of principals that authenticate with an API key. */
export const API_KEY_ISSUER = 'apiKey'

export interface ApiKeySchemeOptions {
  /** For each name, the hex SHA-256 of every key that proves it. */
  keys: Readonly<Record<string, readonly string[]>>
}

/**
 * Returns the scheme for callers that cannot get a JWT: `Authorization: ApiKey KEY`. The key's SHA-256 is compared with
 * every configured hash, in constant time and without an early end, so that the duration says nothing.
 * A plain SHA-256 is enough only because keys are random: it does not protect a key that a person has chosen.
 * Throws an Error if a configured hash is not a hex SHA-256.
 */
export function createApiKeyScheme({ keys }: ApiKeySchemeOptions): AuthScheme {
  const acceptedKeys = Object.entries(keys).flatMap(([name, hashes]) => {
    const principal: Principal = { issuer: API_KEY_ISSUER, subject: name, claims: {} }
    return hashes.map(hex => ({ principal, hash: parseHash(hex, name) }))
  })

  function recall(credential: string): Principal | JetonError {
    const presentedHash = createHash('sha256').update(credential).digest()
    let match: Principal | undefined
    for (const { principal, hash } of acceptedKeys)
      if (timingSafeEqual(hash, presentedHash)) match = principal
    return match ?? unauthenticated('the API key is not known')
  }

  return {
    scheme: 'ApiKey',
    async authenticate(credential) {
      const recalled = recall(credential)
      if (recalled instanceof JetonError) throw recalled
      return recalled
    },
    recall,
  }
}

/** Returns a new key of 256 random bits, and what to configure in its place. The prefix lets secret scanners find it. */
export function newApiKey(): { key: string; sha256: string } {
  const key = `jeton_${randomBytes(32).toString('base64url')}`
  return { key, sha256: sha256Hex(key) }
}

function parseHash(hex: string, name: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new Error(`apiKeys.${name} is not a hex SHA-256`)
  return Buffer.from(hex, 'hex')
}
