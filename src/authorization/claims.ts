import type { Claim } from '../authentication/principal.ts'
import { isJsonObject } from '../lib/json.ts'
import { escapeText, shorten } from '../lib/printable.ts'
import { MAX_VALUE_LENGTH } from './wildcard.ts'

/** A JWT's object, as opposed to its scalars and lists. */
export type ClaimObject = { readonly [name: string]: Claim }

/** Of a longer list, only so many elements are looked at. The longest that are known are Entra ID's: 200 groups. */
export const MAX_LIST_ELEMENTS = 256
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

/** Returns those elements of a list that are looked at, or the claim itself as the only one. */
export function elementsOf(claim: Claim): readonly Claim[] {
  if (!isClaimList(claim)) return [claim]
  return claim.length > MAX_LIST_ELEMENTS ? claim.slice(0, MAX_LIST_ELEMENTS) : claim
}

/** Returns what people must know of a claim that is too long to be looked at as a whole; empty for any other. */
export function noteOfLimit(claim: Claim): string {
  if (typeof claim === 'string' && claim.length > MAX_VALUE_LENGTH)
    return ` (${claim.length} characters: wildcards match ${MAX_VALUE_LENGTH} at most)`
  if (isClaimList(claim) && claim.length > MAX_LIST_ELEMENTS)
    return ` (${claim.length} elements: the first ${MAX_LIST_ELEMENTS} are looked at)`
  return ''
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
