import type { Principal } from '../authentication/principal.ts'
import { UsageError } from '../errors.ts'
import { isJsonObject, parseJson } from '../lib/json.ts'

/** Claims that nothing has verified. */
export interface GivenClaims {
  readonly claims: Principal['claims']
  /** The JWT that they come from; undefined if they were given as JSON. Never to be shown: it may still be good. */
  readonly jwt: string | undefined
}

/** RFC 7515, 7.1, and RFC 7516, 7.1, whose second to fifth parts are encrypted. */
const COMPACT = /^[\w-]+(?:\.[\w-]*){2}(?:\.[\w-]*\.[\w-]*)?$/
const SCHEME = /^(?:authorization:\s*)?bearer\s+/i

/**
 * Parses claims as JSON, or those of a JWT in the compact form, perhaps with `Bearer` before it or wrapped over lines. Throws
 * `UsageError`, which quotes nothing of the text.
 */
export function parseGivenClaims(given: string): GivenClaims {
  const text = given.replace(/^\uFEFF/, '').trim()
  const value = parseJson(text)
  if (value !== undefined) return { claims: requireClaims(value), jwt: undefined }
  const jwt = text.replace(SCHEME, '').replace(/\s+/g, '')
  if (!COMPACT.test(jwt))
    throw new UsageError('the claims are neither JSON nor a JWT: give a JWT, or its payload')
  const [, payload = '', ...others] = jwt.split('.')
  if (others.length > 1) throw new UsageError('the JWT is encrypted, so only its receiver can read it')
  const claims = parseJson(Buffer.from(payload, 'base64url').toString())
  if (claims === undefined) throw new UsageError('the payload of the JWT is not JSON: is the JWT whole?')
  return { claims: requireClaims(claims), jwt }
}

function requireClaims(value: unknown): Principal['claims'] {
  if (!isJsonObject(value)) throw new UsageError('the claims are not a JSON object')
  return value as Principal['claims']
}
