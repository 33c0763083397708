import { isTooDeep, MAX_CLAIMS_DEPTH } from '../authentication/claims-depth.ts'
import { withoutSignatures } from '../authentication/jwt-signature.ts'
import type { PartialAccessRequest } from '../authorization/grant.ts'
import { UsageError } from '../errors.ts'
import { decodeBase64url } from '../lib/base64url.ts'
import { parseRfc3339 } from '../lib/iso-time.ts'
import { isContainer, parseJson } from '../lib/json.ts'
import { type GivenClaims, parseGivenClaims } from '../vending/given-claims.ts'

/** What an operator asks: whether somebody with these claims would get a token. */
export interface ExplainQuestion {
  readonly given: GivenClaims
  readonly issuerName: string | undefined
  readonly request: PartialAccessRequest
  /** The moment that is asked about, in milliseconds since the epoch; undefined for now. */
  readonly at: number | undefined
}

/** As JSON; of a JWT, that of its payload. */
export const MAX_CLAIMS_BYTES = 8 * 1024

/**
 * Parses what the page's script sends. Throws `UsageError`, which quotes nothing of it, for what is longer or deeper than claims may
 * be, and for all that has a signature: the script takes those out, so whoever sends one must learn that it left the page.
 */
export function parseQuestion(form: URLSearchParams): ExplainQuestion {
  const text = (name: string) => form.get(name) || undefined
  const claims = text('claims')
  if (claims === undefined) throw new UsageError('there are no claims to explain')
  requireUnsigned(claims)
  const request = { database: text('database'), user: text('user') }
  for (const name of Object.values(request)) if (name !== undefined && isSigned(name)) throw disclosed()
  const given = parseGivenClaims(claims)
  requireSmall(given)
  return {
    given,
    issuerName: text('issuer'),
    request,
    at: parseTime(text('at')),
  }
}

function parseTime(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : parseRfc3339(text)
  if (text !== undefined && ms === undefined) throw new UsageError('the time is not valid')
  return ms
}

/** Escapes, and the encoding of a payload, must not hide a JWT from this. */
function requireUnsigned(text: string): void {
  const value = parseJson(text)
  const [header = '', payload = '', ...others] = text.split('.')
  const hasSignature =
    value === undefined
      ? others.some(part => part.trim() !== '') ||
        [header, payload].some(part => hasSigned(decodeBase64url(part) ?? ''))
      : hasSigned(text)
  if (hasSignature) throw disclosed()
}

function disclosed(): UsageError {
  return new UsageError(
    'there was a signature in it, which must never leave the page: treat that JWT as disclosed until it expires',
  )
}

function isSigned(text: string): boolean {
  return withoutSignatures(text) !== text
}

/** As it is written, and as it is read: of two members with one name, only one is. */
function hasSigned(json: string): boolean {
  const value = parseJson(json)
  const isRead = isContainer(value) && !isTooDeep(value)
  return [json, isRead ? JSON.stringify(value) : ''].some(isSigned)
}

function requireSmall({ claims }: GivenClaims): void {
  if (isTooDeep(claims)) throw new UsageError(`the claims are nested more than ${MAX_CLAIMS_DEPTH} deep`)
  if (Buffer.byteLength(JSON.stringify(claims)) > MAX_CLAIMS_BYTES)
    throw new UsageError(`the claims are longer than the ${MAX_CLAIMS_BYTES} bytes that are explained`)
}
