import type { Claim } from '../authentication/principal.ts'
import { escapeText, shorten } from '../lib/printable.ts'
import { isClaimList, isClaimObject, isExact } from './claims.ts'

const LONGEST_FOUND = 100

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
