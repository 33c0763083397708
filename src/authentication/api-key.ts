import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { sha256Hex } from '../lib/hash.ts'
import type { AuthScheme, Principal } from './principal.ts'
import { unauthenticated } from './unauthenticated.ts'

export interface ApiKeySchemeOptions {
  /** For each name, the hex SHA-256 of every key that is good for it. */
  keys: Readonly<Record<string, readonly string[]>>
}

/**
 * The way in for callers that can do no better: `Authorization: ApiKey KEY`. What is presented is hashed and compared with
 * every configured hash, in constant time and without an early end, so that the time taken tells nothing.
 * A plain SHA-256 is enough only because keys are random: it protects no key that somebody thought up.
 */
export function createApiKeyScheme({ keys }: ApiKeySchemeOptions): AuthScheme {
  const known = Object.entries(keys).flatMap(([name, hashes]) => {
    const principal: Principal = { issuer: 'apiKey', subject: name, claims: {} }
    return hashes.map(hex => ({ principal, hash: hashFrom(hex, name) }))
  })
  return {
    scheme: 'ApiKey',
    async authenticate(credential) {
      const presented = createHash('sha256').update(credential).digest()
      let match: Principal | undefined
      for (const { principal, hash } of known) if (timingSafeEqual(hash, presented)) match = principal
      if (!match) throw unauthenticated('the API key is not known')
      return match
    },
  }
}

/** A new key, 256 random bits, and what the configuration holds in its place. The prefix lets secret scanners find it. */
export function newApiKey(): { key: string; sha256: string } {
  const key = `jeton_${randomBytes(32).toString('base64url')}`
  return { key, sha256: sha256Hex(key) }
}

function hashFrom(hex: string, name: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new Error(`apiKeys.${name}: not a hex SHA-256`)
  return Buffer.from(hex, 'hex')
}
