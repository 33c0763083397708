import type { JWTPayload } from 'jose'
import { CLOCK_TOLERANCE_SECONDS, RefusedClaims } from './jwt-claims.ts'

const REQUIRED_CLAIMS = ['exp', 'sub', 'aud']

/**
 * Throws `RefusedClaims` unless the payload of a JWT has `aud`, `sub` and `exp`, and is valid by its `nbf` and `exp`; `now` in
 * milliseconds. The rules and their order are those of jose's `jwtVerify`, which would parse the payload once more. Does not
 * check that times are finite: `checkClaims` does.
 */
export function checkValidity(payload: JWTPayload, now: number): void {
  for (const claim of REQUIRED_CLAIMS)
    if (payload[claim] === undefined) throw new RefusedClaims(`the JWT has no "${claim}" claim`)
  const { iat, nbf, exp } = payload
  const seconds = Math.floor(now / 1000)
  checkTime('iat', iat)
  checkTime('nbf', nbf)
  if (nbf !== undefined && nbf > seconds + CLOCK_TOLERANCE_SECONDS)
    throw new RefusedClaims(`the JWT is not valid yet${dateNote(': not before ', nbf)}`)
  checkTime('exp', exp)
  if (exp !== undefined && exp <= seconds - CLOCK_TOLERANCE_SECONDS)
    throw new RefusedClaims(`the JWT expired${dateNote(' at ', exp)}`)
}

function checkTime(claim: string, time: unknown): void {
  if (time !== undefined && typeof time !== 'number')
    throw new RefusedClaims(`the "${claim}" claim of the JWT is not valid`)
}

/** Empty if there is no such date: a NumericDate (RFC 7519, 2) may be any number, a Date may not. */
function dateNote(prefix: string, seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? '' : `${prefix}${date.toISOString()}`
}
