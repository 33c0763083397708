import { decodeBase64url } from '../lib/base64url.ts'

/** A word, a dot, and one more part at least (RFC 7515, 7.1; of JWEs, RFC 7516, 7.1, there are five). */
const COMPACT = /(?<![\w-])[\w-]+\.[\w-]*(?:\.[\w-]*)+/g
/** How nearly every JWT begins: with `{"`, `{}`, or a brace and white space, in base64url. */
const BEGINNING = /e(?:yJ|30|yA|wo|w0|wk)/.source
/** White space, and the sign that a shell's line goes on. */
const SPACE = '[\\s\\\\]'
/** A part, perhaps wrapped: what follows a space belongs to it unless another JWT begins there. */
const PART = `[\\w-]*(?:${SPACE}+(?!${BEGINNING})[\\w-]+)*`
/** A payload may begin on a line of its own, and begins as a header does. */
const WRAPPED = new RegExp(
  `(?<![\\w-])(?=${BEGINNING})${PART}${SPACE}*\\.${SPACE}*${PART}(?:${SPACE}*\\.${PART})+`,
  'g',
)
/** How a JSON object begins. */
const OBJECT = /^\s*\{\s*["}]/

/**
 * Takes the signature of each JWT out of a text, and of a JWE all that is encrypted: `HEADER.PAYLOAD.` and `HEADER.` stay. Needs
 * nothing but what browsers have. What is no JWT in the compact form stays as it is.
 */
export function withoutSignatures(text: string): string {
  return text.replace(COMPACT, withoutSignature)
}

/** As `withoutSignatures`, and for JWTs that were wrapped over lines, too, which are joined. */
export function withoutWrappedSignatures(text: string): string {
  return withoutSignatures(text.replace(WRAPPED, withoutSignature))
}

function withoutSignature(jwt: string): string {
  const parts = jwt.replace(/[\s\\]+/g, '').split('.')
  const [header = '', payload = ''] = parts
  // one whose beginning is missing is as good as whole: headers can be guessed
  if (!isObject(header) && !isObject(payload)) return jwt
  return parts.length > 3 ? `${header}.` : `${header}.${payload}.`
}

function isObject(part: string): boolean {
  return OBJECT.test(decodeBase64url(part) ?? '')
}
