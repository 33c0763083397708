import type { JWTHeaderParameters, JWTPayload } from 'jose'
import { type JsonObject, parseJsonObject } from '../lib/json.ts'
import { escapeText } from '../lib/printable.ts'
import { unauthenticated } from './unauthenticated.ts'

/** What a JWT says before anything is verified: good for choosing the issuer and the key, and for nothing else. */
export interface UnverifiedJwt {
  readonly header: JWTHeaderParameters
  readonly payload: JWTPayload
  /** Of the payload. */
  readonly iss: string
}

/** Asymmetric signatures alone: if HMAC were among them, a public key would serve as the secret (RFC 8725, 3.1). */
export const ALGORITHMS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** The types of JWTs that identify a caller; `JOSE` is what SPIFFE allows beside `JWT`. */
const IDENTITY_TYPES = new Set(['jwt', 'at+jwt', 'jose'])

const MAX_SHOWN_LENGTH = 40

/**
 * Returns what a JWT in the compact form says of itself. Throws `unauthenticated` if it is malformed, is of another kind than
 * those that identify a caller (RFC 8725, 3.11), or needs an extension: `crit`, `b64`, `zip` and nested JWTs are refused.
 */
export function parseCompactJwt(jwt: string): UnverifiedJwt {
  // RFC 7515, 7.1; one more than there may be, so that any number of dots costs the same
  const parts = jwt.split('.', 4)
  if (parts.length !== 3) throw malformed()
  const [headerBytes, payloadBytes] = parts.map(decodePart) as [Buffer, Buffer]
  // an empty signature is one that does not verify
  if (headerBytes.length === 0 || payloadBytes.length === 0) throw malformed()
  const header = checkHeader(parseObject(headerBytes))
  const payload = parseObject(payloadBytes)
  const { iss } = payload
  if (typeof iss !== 'string') throw unauthenticated('the JWT has no "iss" claim')
  return { header, payload, iss }
}

/**
 * Returns the bytes of a part. Encoding them again shows that it is in base64url without padding, spaces or anything else,
 * and that the bits of its last character that stand for nothing are 0: else one JWT could be written in several ways.
 */
function decodePart(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url')
  if (bytes.toString('base64url') !== part) throw malformed()
  return bytes
}

function parseObject(bytes: Buffer): JsonObject {
  const object = parseJsonObject(bytes)
  if (!object) throw malformed()
  return object
}

function checkHeader(header: JsonObject): JWTHeaderParameters {
  const { alg, typ, cty, kid } = header
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg))
    throw unauthenticated(`the JWT must be signed with one of ${ALGORITHMS.join(', ')}`)
  if (typ !== undefined && !IDENTITY_TYPES.has(mediaTypeOf(typ)))
    throw unauthenticated(
      'the "typ" of the JWT is that of another kind of token: send one of type JWT or at+jwt',
      `the "typ" of the JWT is ${shown(typ)}, another kind of token than those that identify a caller`,
    )
  if (cty !== undefined && mediaTypeOf(cty) === 'jwt')
    throw unauthenticated('the JWT contains another JWT: send the inner one')
  for (const extension of ['crit', 'b64', 'zip'])
    if (header[extension] !== undefined)
      throw unauthenticated(`the header of the JWT has "${extension}": jeton supports no extension`)
  if (kid !== undefined && typeof kid !== 'string')
    throw unauthenticated('the "kid" in the header of the JWT is not text')
  return header as JWTHeaderParameters
}

/** RFC 7515, 4.1.9: compared without regard to case, and `application/` may be left out. Empty for what is not text. */
function mediaTypeOf(type: unknown): string {
  return typeof type === 'string' ? type.toLowerCase().replace(/^application\//, '') : ''
}

function shown(typ: unknown): string {
  return typeof typ === 'string' ? `"${escapeText(typ.slice(0, MAX_SHOWN_LENGTH))}"` : 'not text'
}

function malformed() {
  return unauthenticated('the credential is not a signed JWT')
}
