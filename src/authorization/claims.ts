import type { Claim } from '../authentication/principal.ts'
import { isJsonObject } from '../lib/json.ts'
import { escapeText, shorten } from '../lib/printable.ts'

/** A JWT's object, as opposed to its scalars and lists. */
export type ClaimObject = { readonly [name: string]: Claim }

/** The most characters that are shown of a claim. */
const MAX_SHOWN_LENGTH = 100

/**
 * Returns the text that a scalar is compared by; undefined for lists and objects, and for a number that is not exact:
 * JSON.parse rounds integers beyond 2^53, so that two ids become one, and such a number must match nothing.
 */
export function textOf(value: Claim): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
      return String(value)
    case 'number':
      return isExact(value) ? String(value) : undefined
    default:
      return undefined
  }
}

/** Whether a number is certainly the one that was written, and not one that others round to. */
export function isExact(value: number): boolean {
  return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))
}

/** Whether a claim is a list. */
export function isClaimList(value: Claim | undefined): value is readonly Claim[] {
  return Array.isArray(value)
}

/** Whether a claim is an object; a list and null are not. */
export function isClaimObject(value: Claim | undefined): value is ClaimObject {
  return isJsonObject(value)
}

/** Returns a claim that the JWT itself carries: what every object inherits (`constructor`, `__proto__`) is not one. */
export function ownClaim(claims: ClaimObject, name: string): Claim | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

/** Returns a claim as text for people, escaped, of at most 100 characters. Nested values are `[…]` or `{…}`. */
export function showClaim(claim: Claim): string {
  if (isClaimList(claim))
    return shorten(`[${claim.slice(0, MAX_SHOWN_LENGTH).map(showScalar).join(', ')}]`, MAX_SHOWN_LENGTH)
  return showScalar(claim)
}

function showScalar(claim: Claim): string {
  if (isClaimList(claim)) return '[…]'
  if (isClaimObject(claim)) return '{…}'
  if (typeof claim === 'number' && !isExact(claim)) return `${claim} (too large to be exact)`
  if (typeof claim !== 'string') return String(claim)
  return `"${shorten(escapeText(claim.slice(0, MAX_SHOWN_LENGTH)), MAX_SHOWN_LENGTH - 2)}"`
}
