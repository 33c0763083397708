import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose'
import { canonicalJson, isJsonObject } from '../lib/json.ts'

/** RFC 7518, 3.3: the fewest bits of an RSA key. */
const MIN_RSA_BITS = 2048
/** Length of such a modulus in base64url. */
const MIN_RSA_MODULUS_LENGTH = 342

/** The keys of one JSON Web Key Set, parsed. */
export interface Jwks {
  /** Returns every key that a JWT with this header may be signed with; empty if no usable key matches. */
  findKeys(header: JWTHeaderParameters): Promise<readonly CryptoKey[]>
  /** Equal for sets of equal keys, in whatever order. */
  readonly canonicalText: string
}

/**
 * Parses a JSON Web Key Set (RFC 7517, 5). Keys match by jose's rules: algorithm, `kid`, `use` and `key_ops` must fit. A key
 * without `kid` matches only JWTs without `kid`; a JWT without one may match several keys. Keys that cannot verify
 * signatures are ignored, as the RFC advises. Throws if the value is not a key set.
 */
export function readJwks(value: unknown): Jwks {
  const findKey = createLocalJWKSet(value as JSONWebKeySet)
  return {
    canonicalText: findKey.jwks().keys.map(canonicalJson).sort().join(),
    async findKeys(header) {
      try {
        return [await findKey(header)].filter(isStrong)
      } catch (cause) {
        if (!(cause instanceof errors.JWKSMultipleMatchingKeys)) return []
        const keys: CryptoKey[] = []
        for await (const key of cause) if (isStrong(key)) keys.push(key)
        return keys
      }
    },
  }
}

function isStrong({ algorithm }: CryptoKey): boolean {
  return !('modulusLength' in algorithm) || Number(algorithm.modulusLength) >= MIN_RSA_BITS
}

/**
 * As `readJwks`, for a file that an operator chose. Also throws if there are no keys, or if one is private or symmetric.
 * Such a key in a file of public ones has leaked or soon will. The message goes into a list of configuration problems.
 */
export function readPinnedJwks(value: unknown): Jwks {
  const keys = isJsonObject(value) ? value.keys : undefined
  if (!Array.isArray(keys)) throw new Error('is not a JSON Web Key Set: it needs a list "keys"')
  if (keys.length === 0) throw new Error('has no keys')
  keys.forEach(checkPinnedKey)
  return readJwks(value)
}

function checkPinnedKey(key: unknown, index: number): void {
  if (!isJsonObject(key)) throw new Error(`keys.${index} is not a JSON Web Key`)
  if (key.kty === 'oct' || 'k' in key)
    throw new Error(`keys.${index} is a symmetric key: whoever can verify a JWT with it can also sign one`)
  if ('d' in key || 'priv' in key)
    throw new Error(`keys.${index} holds a private key: put only its public half into the file`)
  if (key.kty === 'RSA' && typeof key.n === 'string' && key.n.length < MIN_RSA_MODULUS_LENGTH)
    throw new Error(`keys.${index} is an RSA key of less than ${MIN_RSA_BITS} bits`)
}
