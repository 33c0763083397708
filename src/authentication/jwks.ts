import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose'
import { canonicalJson } from '../lib/json.ts'

/** 2048 bits in base64url. */
const SHORTEST_MODULUS = 342

/** The keys of one JSON Web Key Set, at hand. */
export interface Jwks {
  /** Every key that a JWT with this header may be signed with; none where nothing usable matches. */
  matching(header: JWTHeaderParameters): Promise<readonly CryptoKey[]>
  /** Equal for equal keys, in whatever order. */
  readonly text: string
}

/**
 * Reads a JSON Web Key Set (RFC 7517, 5) and matches by jose's rules: algorithm, `kid`, `use` and `key_ops` must fit.
 * A key without `kid` answers only to JWTs without `kid`; a JWT without one may mean several keys.
 * Throws where it is no key set. Keys that cannot verify signatures are passed over, as the RFC advises.
 */
export function readJwks(value: unknown): Jwks {
  const find = createLocalJWKSet(value as JSONWebKeySet)
  return {
    text: find.jwks().keys.map(canonicalJson).sort().join(),
    async matching(header) {
      try {
        return [await find(header)].filter(isStrong)
      } catch (cause) {
        if (!(cause instanceof errors.JWKSMultipleMatchingKeys)) return []
        const keys: CryptoKey[] = []
        for await (const key of cause) if (isStrong(key)) keys.push(key)
        return keys
      }
    },
  }
}

/** RFC 7518, 3.3: RSA keys have 2048 bits or more. */
function isStrong({ algorithm }: CryptoKey): boolean {
  return !('modulusLength' in algorithm) || Number(algorithm.modulusLength) >= 2048
}

/**
 * As `readJwks`, for a file that an operator chose: throws, with a message fit for a list of problems, also where there
 * are no keys or one is private or symmetric. Such a key in a file of public ones has leaked or soon will.
 */
export function readPinnedJwks(value: unknown): Jwks {
  const keys = value !== null && typeof value === 'object' && 'keys' in value ? value.keys : undefined
  if (!Array.isArray(keys)) throw new Error('is not a JSON Web Key Set: it needs a list "keys"')
  if (keys.length === 0) throw new Error('has no keys')
  for (const [index, key] of keys.entries()) {
    if (key === null || typeof key !== 'object' || Array.isArray(key))
      throw new Error(`keys.${index} is not a JSON Web Key`)
    if (key.kty === 'oct' || 'k' in key)
      throw new Error(`keys.${index} is a symmetric key: whoever can check a JWT with it can also sign one`)
    if ('d' in key || 'priv' in key)
      throw new Error(`keys.${index} holds a private key: leave its public half alone in the file`)
    if (key.kty === 'RSA' && typeof key.n === 'string' && key.n.length < SHORTEST_MODULUS)
      throw new Error(`keys.${index} is an RSA key of less than 2048 bits`)
  }
  return readJwks(value)
}
