import type { JWTPayload } from 'jose'
import { parseCompactJwt } from '../authentication/compact-jwt.ts'
import { CLOCK_TOLERANCE_SECONDS, type ClaimDemands, checkClaims } from '../authentication/jwt-claims.ts'
import type { Principal } from '../authentication/principal.ts'
import { checkJwtLength } from '../authentication/verified-jwt-cache.ts'
import { JetonError } from '../errors.ts'
import { messageOf } from '../lib/system-error.ts'

/** The JWT whose claims are explained, what its issuer demands of it, and the time in milliseconds. */
export interface GivenJwt {
  readonly jwt: string
  readonly claims: Principal['claims']
  /** Undefined if the principal is not one of a configured issuer's. */
  readonly demands: ClaimDemands | undefined
  readonly now: number
}

/** Returns what jeton would refuse about a JWT, as far as that shows without its issuer's keys: sentences without a claim's value. */
export function jwtNotes({ jwt, claims, demands, now }: GivenJwt): string[] {
  return [
    'nothing of the JWT was verified, its signature least of all',
    ...refusalOf(() => checkJwtLength(jwt)),
    ...refusalOf(() => parseCompactJwt(jwt)),
    ...timeNotes(claims, now / 1000),
    ...(demands ? refusalOf(() => checkClaims(claims as JWTPayload, { demands, now })) : []),
  ]
}

function refusalOf(check: () => unknown): string[] {
  try {
    check()
    return []
  } catch (cause) {
    const why = cause instanceof JetonError ? cause.publicMessage : messageOf(cause, 'it is malformed')
    return [`jeton would refuse it: ${why}`]
  }
}

function timeNotes({ exp, nbf }: Principal['claims'], nowSeconds: number): string[] {
  const notes: string[] = []
  if (typeof exp === 'number' && exp + CLOCK_TOLERANCE_SECONDS <= nowSeconds)
    notes.push(`jeton would refuse it: it expired${timeText(exp)}`)
  if (typeof nbf === 'number' && nbf - CLOCK_TOLERANCE_SECONDS > nowSeconds)
    notes.push(`jeton would refuse it: it is not valid yet${timeText(nbf, ', but from ')}`)
  return notes
}

function timeText(seconds: number, before = ' at '): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? '' : `${before}${date.toISOString()}`
}
