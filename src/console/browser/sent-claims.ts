import { isTooDeep } from '../../authentication/claims-depth.ts'
import { withoutSignatures, withoutWrappedSignatures } from '../../authentication/jwt-signature.ts'
import { decodeBase64url, encodeBase64url } from '../../lib/base64url.ts'
import { isJsonObject, parseJson } from '../../lib/json.ts'

/** What of a text may be sent, or why nothing of it is. */
export type SentClaims =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: string }

/** A JWT whose signature is gone, as `withoutWrappedSignatures` leaves it. */
const UNSIGNED = /(?<![\w-])([\w-]+)\.([\w-]+)\.(?![\w-])/g
const JWT = /^eyJ[\w-]*\.eyJ[\w-]*\./
/** What is secret by itself: API keys of jeton, and what RDS takes for a password. */
const SECRET = /jeton_[\w-]{43}|X-Amz-Signature|X-Amz-Security-Token/i

/**
 * Returns what may leave the page: claims as JSON, or the header and the payload of the only JWT in a text, in both cases without any
 * signature. Of every other text nothing may, for it may be secret.
 */
export function claimsToSend(given: string): SentClaims {
  const text = given.replace(/^\uFEFF/, '').trim()
  if (text === '') return refused('paste claims first')
  const value = parseJson(text)
  if (isJsonObject(value) && !hasJwtAlone(value)) return jsonToSend(value)
  const [jwt, another] = [...withoutWrappedSignatures(text).matchAll(UNSIGNED)]
  if (another) return refused('there are several JWTs in it: paste one')
  const parts = jwt?.slice(1, 3).map(unsignedPart) ?? []
  if (parts.length === 0 || parts.includes(undefined))
    return refused(
      'it is neither JSON nor a JWT that can be read (an encrypted one can not): paste a JWT, or its claims',
    )
  return checked(`${parts.join('.')}.`)
}

/** Whether a text that is not claims may leave the page: such as a name, in whose field a JWT or a token may be by mistake. */
export function isSendable(text: string): boolean {
  return withoutWrappedSignatures(text) === text && !SECRET.test(text)
}

function refused(problem: string): SentClaims {
  return { ok: false, problem: `${problem}. Nothing was sent.` }
}

/** Such as the reply of an issuer. */
function hasJwtAlone(value: object): boolean {
  return (
    !('sub' in value) && Object.values(value).some(member => typeof member === 'string' && JWT.test(member))
  )
}

function jsonToSend(value: object): SentClaims {
  if ('payload' in value && ('signature' in value || 'signatures' in value))
    return refused('it is a JWS in its JSON form: paste its payload alone')
  const text = unsignedJson(value)
  return text === undefined ? refused('the claims are nested too deep') : checked(text)
}

/** Written anew, so that no escape hides a JWT. */
function unsignedJson(value: object): string | undefined {
  return isTooDeep(value) ? undefined : withoutSignatures(JSON.stringify(value))
}

/** Claims may have JWTs in them, too, which the encoding hides: so they are encoded anew. */
function unsignedPart(part: string): string | undefined {
  const value = parseJson(decodeBase64url(part) ?? '')
  if (!isJsonObject(value)) return undefined
  const unsigned = unsignedJson(value)
  return unsigned && encodeBase64url(unsigned)
}

function checked(text: string): SentClaims {
  const readable = text.startsWith('{')
    ? text
    : text
        .split('.')
        .map(part => decodeBase64url(part))
        .join('')
  return SECRET.test(readable)
    ? refused(
        'there is an API key or a token of RDS in it, which are secret: an API key is explained by its name',
      )
    : { ok: true, text }
}
