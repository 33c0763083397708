import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { JWK } from 'jose'

/** What a forged JWT has in place of the flawless one's. */
export interface Forgery {
  /** Replaces members of the header; as text, the whole header. */
  header?: object | string
  /** Replaces members of the claims; as text or bytes, all of them. */
  claims?: object | string | Buffer
  /** Another key than the issuer's own. */
  key?: KeyObject
  /** The signature itself, in base64url. */
  signature?: string
}

/** An issuer whose keys are pinned at the target. It signs what no issuer would. */
export interface Signer {
  readonly issuer: string
  readonly jwks: { readonly keys: readonly JWK[] }
  /** Keys by algorithm: each signs with its own `kid`, which is the algorithm's name. */
  readonly keys: Readonly<Record<'ES256' | 'RS256' | 'EdDSA', KeyObject>>
  /** Claims that the grant `deploy` allows. */
  claims(): Record<string, unknown>
  /** Returns a JWT signed with ES256, flawless but for what `forgery` replaces; members that are undefined are left out. */
  jwt(forgery?: Forgery): string
}

const LIFETIME_SECONDS = 600

/** Made once for all tests of a file: an RSA key takes longer than any of them. */
const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: generateKeyPairSync('ed25519'),
}

export function createSigner(): Signer {
  const issuer = 'https://idp.corp.example'
  const claims = () => {
    const iat = Math.floor(Date.now() / 1000)
    const times = { iat, exp: iat + LIFETIME_SECONDS }
    return { iss: issuer, aud: 'jeton', sub: 'job-1', ...times, team: 'payments', ref: 'main' }
  }
  return {
    issuer,
    jwks: {
      keys: Object.entries(pairs).map(([alg, { publicKey }]) => ({
        ...(publicKey.export({ format: 'jwk' }) as JWK),
        kid: alg,
        alg,
      })),
    },
    keys: { ES256: pairs.ES256.privateKey, RS256: pairs.RS256.privateKey, EdDSA: pairs.EdDSA.privateKey },
    claims,
    jwt({ header = {}, claims: changed = {}, key = pairs.ES256.privateKey, signature } = {}) {
      const headerText = typeof header === 'string' ? header : { alg: 'ES256', kid: 'ES256', ...header }
      const isWhole = typeof changed === 'string' || Buffer.isBuffer(changed)
      const text = `${encode(headerText)}.${encode(isWhole ? changed : { ...claims(), ...changed })}`
      return `${text}.${signature ?? signatureOf(text, key)}`
    },
  }
}

/** Returns base64url of JSON, text or bytes. */
export function encode(value: object | string | Buffer): string {
  const bytes = Buffer.isBuffer(value) ? value : typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(bytes as string).toString('base64url')
}

/** Signs with what fits the key: Ed25519, ECDSA with SHA-256, or RSA PKCS #1 with SHA-256. */
export function signatureOf(text: string, key: KeyObject): string {
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  return sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}
