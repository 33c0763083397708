import type { JWK } from 'jose'
import { ALGORITHMS } from './compact-jwt.ts'
import { findRsaFault, readJwks } from './jwks.ts'

/** The algorithms of each kind of key that jeton verifies with: RFC 7518, 3.1; RFC 8037, 3.1; RFC 9864, 2.2. */
const ALGORITHMS_OF: { readonly [kind: string]: readonly string[] } = {
  RSA: ALGORITHMS.filter(alg => /^[RP]S/.test(alg)),
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA', 'Ed25519'],
}
const MEMBERS_OF: { readonly [type: string]: readonly ('n' | 'e' | 'x' | 'y')[] } = {
  RSA: ['n', 'e'],
  EC: ['x', 'y'],
  OKP: ['x'],
}

/**
 * Returns why a public key of an issuer verifies no JWT, to be read after its name; undefined if it can. Never quotes what may
 * be a secret.
 */
export async function findKeyFault(jwk: JWK): Promise<string | undefined> {
  const { kty, crv, alg, use, key_ops: operations } = jwk
  if (use !== undefined && use !== 'sig') return `is not for signatures (\`use: ${shown(use)}\`)`
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return 'is not for verifying (`key_ops` lacks `verify`)'
  const algorithms = ALGORITHMS_OF[kty === 'RSA' ? kty : `${kty} ${crv}`]
  if (algorithms === undefined)
    return crv === undefined
      ? `is of the type ${shown(kty)}${kty === 'EC' || kty === 'OKP' ? ' without a curve (`crv`)' : ''}, which jeton does not verify with`
      : `is on the curve ${shown(crv)}, which jeton does not verify with (but P-256, P-384, P-521 and Ed25519)`
  if (alg !== undefined && !ALGORITHMS.includes(alg))
    return `is for \`alg: ${shown(alg)}\`, which jeton does not accept (but ${ALGORITHMS.join(', ')})`
  if (alg !== undefined && !algorithms.includes(alg))
    return `says \`alg: ${alg}\`, but a key of its kind is for ${algorithms.join(', ')}`
  return findMemberFault(jwk) ?? ((await canVerify(jwk, algorithms)) ? undefined : 'is not a valid key')
}

function findMemberFault(jwk: JWK): string | undefined {
  const members = MEMBERS_OF[String(jwk.kty)] ?? []
  const missing = members.filter(member => typeof jwk[member] !== 'string' || jwk[member] === '')
  if (missing.length > 0) return `lacks ${missing.map(member => `\`${member}\``).join(' and ')}`
  if (jwk.kid !== undefined && typeof jwk.kid !== 'string') return 'has a `kid` that is not text'
  return jwk.kty === 'RSA' ? findRsaFault(rsaFacts(jwk)) : undefined
}

function rsaFacts({ n = '', e = '' }: JWK): { modulusLength: number; publicExponent: bigint } {
  const [modulus, exponent] = [n, e].map(member => Buffer.from(member, 'base64url').toString('hex'))
  return {
    modulusLength: BigInt(`0x${modulus || '0'}`).toString(2).length,
    publicExponent: BigInt(`0x${exponent || '0'}`),
  }
}

/** Whether a JWT that names this key would find it, for one of the algorithms. */
async function canVerify(jwk: JWK, algorithms: readonly string[]): Promise<boolean> {
  const { findKeys } = readJwks({ keys: [jwk] })
  for (const alg of algorithms)
    if ((await findKeys({ alg, ...(jwk.kid !== undefined && { kid: jwk.kid }) })).length > 0) return true
  return false
}

/** A name of a standard; anything else may be a secret in the wrong place. */
function shown(name: unknown): string {
  return typeof name === 'string' && /^[A-Za-z][\w+-]{0,15}$/.test(name) ? name : '…'
}
