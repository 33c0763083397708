import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose'
import { canonicalJson, isJsonObject, measureJson } from '../lib/json.ts'

/** RFC 7518, 3.3: the fewest bits of an RSA key. */
const MIN_RSA_BITS = 2048
/** Whoever sends a JWT makes jeton verify it: keys that are slow to verify with are not used. */
const MAX_RSA_BITS = 8192
/** Six bytes. */
const MAX_RSA_EXPONENT = 2n ** 48n - 1n
/** The most keys that are tried for a JWT without `kid`: real sets have two or three. */
const MAX_MATCHING_KEYS = 16
/** A set is an object with a list of objects whose members are text, or lists of it. */
const MAX_DEPTH = 8

/** The keys of one JSON Web Key Set, parsed. */
export interface Jwks {
  /** Returns every key that a JWT with this header may be signed with; empty if no usable key matches. */
  findKeys(header: JWTHeaderParameters): Promise<readonly CryptoKey[]>
  /** Equal for sets of equal keys, in whatever order. */
  readonly canonicalText: string
  /** Returns what the keys are called, and which algorithm they are for, as far as the set says so. */
  describe(): readonly KeyDescription[]
}

export interface KeyDescription {
  readonly kid: string | undefined
  readonly alg: string | undefined
}

/**
 * Parses a JSON Web Key Set (RFC 7517, 5). Keys match by jose's rules: algorithm, `kid`, `use` and `key_ops` must fit. A key
 * without `kid` matches only JWTs without `kid`; a JWT without one may match several keys, of which 16 are tried. Keys that
 * cannot verify signatures are ignored, as the RFC advises. Throws if the value is not a key set.
 */
export function readJwks(value: unknown): Jwks {
  // jose and canonicalJson recurse
  if (measureJson(value).depth > MAX_DEPTH) throw new Error('the key set is nested too deep')
  const findKey = createLocalJWKSet(withoutEd25519Names(value) as JSONWebKeySet)
  /** By `alg` and `kid`: only such as a key of the set has, so no caller can fill it. */
  const found = new Map<string, readonly CryptoKey[]>()

  async function search(header: JWTHeaderParameters): Promise<readonly CryptoKey[]> {
    try {
      return [await findKey(header)].filter(isSound)
    } catch (cause) {
      if (!(cause instanceof errors.JWKSMultipleMatchingKeys)) return []
      const keys: CryptoKey[] = []
      for await (const key of cause) if (keys.push(key) === MAX_MATCHING_KEYS) break
      return keys.filter(isSound)
    }
  }

  return {
    canonicalText: findKey.jwks().keys.map(canonicalJson).sort().join(),
    describe: () => describeKeys(value),
    async findKeys(header) {
      const { alg, kid } = header
      const selector = kid === undefined ? alg : `${alg} ${kid}`
      const known = found.get(selector)
      if (known) return known
      const keys = await search(header)
      if (keys.length > 0) found.set(selector, keys)
      return keys
    },
  }
}

function describeKeys(value: unknown): KeyDescription[] {
  const keys: unknown[] = isJsonObject(value) && Array.isArray(value.keys) ? value.keys : []
  const text = (member: unknown) => (typeof member === 'string' ? member : undefined)
  return keys.filter(isJsonObject).map(({ kid, alg }) => ({ kid: text(kid), alg: text(alg) }))
}

/**
 * Leaves `alg` out of Ed25519 keys: `Ed25519` is the new name of what `EdDSA` means for them (RFC 9864), and jose would match
 * a key to JWTs of the one name alone. The curve still ties the key to the algorithm.
 */
function withoutEd25519Names(value: unknown): unknown {
  if (!isJsonObject(value) || !Array.isArray(value.keys)) return value
  return { ...value, keys: value.keys.map(withoutEd25519Name) }
}

function withoutEd25519Name(jwk: unknown): unknown {
  if (!isJsonObject(jwk) || jwk.crv !== 'Ed25519') return jwk
  const { alg, ...unnamed } = jwk
  return alg === 'EdDSA' || alg === 'Ed25519' ? unnamed : jwk
}

/** RSA alone has keys that are too weak, or too slow to verify with. */
function isSound({ algorithm }: CryptoKey): boolean {
  if (!('modulusLength' in algorithm && 'publicExponent' in algorithm)) return true
  const exponent = Buffer.from(algorithm.publicExponent as Uint8Array)
  return (
    findRsaFault({
      modulusLength: Number(algorithm.modulusLength),
      publicExponent: BigInt(`0x${exponent.toString('hex')}`),
    }) === undefined
  )
}

/** Returns why an RSA key is not verified with, to be read after its name; undefined if it is, and for keys of other types. */
export function findRsaFault({
  modulusLength: bits,
  publicExponent: exponent,
}: {
  modulusLength?: number
  publicExponent?: bigint
}): string | undefined {
  if (bits === undefined || exponent === undefined) return undefined
  if (bits < MIN_RSA_BITS)
    return `is an RSA key of ${bits} bits, and ${MIN_RSA_BITS} are the least that are accepted`
  if (bits > MAX_RSA_BITS)
    return `is an RSA key of ${bits} bits, and ${MAX_RSA_BITS} are the most that are accepted`
  if (exponent > MAX_RSA_EXPONENT) return 'is an RSA key whose exponent is too large to be verified with'
  return exponent > 1n ? undefined : 'is an RSA key with an exponent of 1, by which everybody can sign'
}

/** Members that only private and symmetric keys have: RFC 7518, 6; `priv` is that of RFC 9964. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv']

/**
 * As `readJwks`, for a file that an operator chose. Also throws if there are no keys, or if one is private or symmetric.
 * Such a key in a file of public ones has leaked or soon will. The message goes into a list of configuration problems. Does
 * not check that a key can verify anything: `findKeyFault` does.
 */
export function readPinnedJwks(value: unknown): Jwks {
  const { keys, ...others } = isJsonObject(value) ? value : {}
  if (!Array.isArray(keys)) throw new Error(describeOther(others))
  if (keys.length === 0) throw new Error('has no keys')
  keys.forEach(checkPinnedKey)
  return readJwks(value)
}

function describeOther(members: object): string {
  if ('jwks_uri' in members) return 'is a discovery document: save what its `jwks_uri` answers instead'
  if ('kty' in members) return 'is a single key: write {"keys": [KEY]}'
  return 'is not a JSON Web Key Set: it needs a list "keys"'
}

function checkPinnedKey(key: unknown, index: number): void {
  if (!isJsonObject(key)) throw new Error(`keys.${index} is not a JSON Web Key`)
  if (key.kty === 'oct' || 'k' in key)
    throw new Error(`keys.${index} is a symmetric key: whoever can verify a JWT with it can also sign one`)
  if (PRIVATE_MEMBERS.some(member => member in key))
    throw new Error(`keys.${index} holds a private key: put only its public half into the file`)
}
