import type { Claim } from '../principals/principal.ts'
import { isClaimList, isClaimObject, isExact } from './claim.ts'

const LONGEST_FOUND = 100

/** Cuts text to at most `length` UTF-16 units, with an ellipsis in place of the rest. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

/**
 * Text fit for one line of a log or terminal: control characters, line breaks and what turns the direction of writing
 * become escapes. Claims are chosen by whoever asks; unescaped they could forge lines or hide what follows.
 */
export function escapeText(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, char => char.split('').map(escapeUnit).join(''))
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Shows what a JWT says, in at most 100 characters. What is nested is only hinted at: no grant looks there. */
export function showClaim(claim: Claim): string {
  if (isClaimList(claim))
    return shorten(`[${claim.slice(0, LONGEST_FOUND).map(showScalar).join(', ')}]`, LONGEST_FOUND)
  return showScalar(claim)
}

function showScalar(claim: Claim): string {
  if (isClaimList(claim)) return '[…]'
  if (isClaimObject(claim)) return '{…}'
  if (typeof claim === 'number' && !isExact(claim)) return `${claim} (too large to be exact)`
  if (typeof claim !== 'string') return String(claim)
  return `"${shorten(escapeText(claim.slice(0, LONGEST_FOUND)), LONGEST_FOUND - 2)}"`
}
