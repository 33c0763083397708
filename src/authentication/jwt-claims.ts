import type { JWTPayload } from 'jose'
import { type Audience, acceptsAudience, audiencesOf } from './audience.ts'
import { isTooDeep, MAX_CLAIMS_DEPTH } from './claims-depth.ts'
import type { Claim } from './principal.ts'

/** What one configured issuer demands of its JWTs, besides a good signature. */
export interface ClaimDemands {
  readonly audience: Audience
  /** The longest time from `iat` to `exp`; a day unless given. */
  readonly maxLifetimeSeconds?: number | undefined
}

/** The claims of a JWT that verified, as far as jeton needs them. */
export interface CheckedClaims {
  readonly subject: string
  /** In milliseconds. */
  readonly expiresAt: number
  readonly claims: { readonly [name: string]: Claim }
}

/** The claims of a JWT whose signature is good are not accepted. Its message is for the caller, and quotes no claim. */
export class RefusedClaims extends Error {
  override readonly name = 'RefusedClaims'
}

/** How far the clocks of issuers may be off. */
export const CLOCK_TOLERANCE_SECONDS = 60
/** A day. */
export const DEFAULT_MAX_LIFETIME_SECONDS = 86_400

/**
 * Returns the claims of a JWT whose signature, `iss`, `exp` and `nbf` have been verified; `now` in milliseconds. Throws
 * `RefusedClaims` if they are too deep, for another audience, without a subject, valid for too long, bound to a key of the
 * caller's (`cnf`), or those of an event (`events`).
 */
export function checkClaims(
  payload: JWTPayload,
  { demands, now }: { demands: ClaimDemands; now: number },
): CheckedClaims {
  const { maxLifetimeSeconds = DEFAULT_MAX_LIFETIME_SECONDS } = demands
  if (isTooDeep(payload))
    throw new RefusedClaims(`the claims of the JWT are nested more than ${MAX_CLAIMS_DEPTH} deep`)
  const { aud, sub } = payload
  if (!acceptsAudience(demands, aud)) {
    const accepted = audiencesOf(demands).map(audience => `"${audience}"`)
    throw new RefusedClaims(`the audience of the JWT is not ${accepted.join(' or ')}`)
  }
  if (typeof sub !== 'string' || sub === '')
    throw new RefusedClaims('the "sub" claim of the JWT is not valid')
  const { exp, lifetime } = timesOf(payload, now / 1000)
  if (lifetime > maxLifetimeSeconds)
    throw new RefusedClaims(
      `the JWT is valid for ${Math.ceil(lifetime)} s, and at most ${maxLifetimeSeconds} s are accepted`,
    )
  checkKind(payload)
  return { subject: sub, expiresAt: exp * 1000, claims: payload as { readonly [name: string]: Claim } }
}

/**
 * Returns `exp`, and how long it is until then in seconds: from `iat`, or from now if there is none or it is in the future,
 * so that an `iat` cannot make a JWT seem shorter than it is.
 */
function timesOf({ exp, nbf, iat }: JWTPayload, now: number): { exp: number; lifetime: number } {
  checkFinite('exp', exp)
  checkFinite('nbf', nbf)
  checkFinite('iat', iat)
  if (exp === undefined) throw new RefusedClaims('the JWT has no "exp" claim')
  const since = iat !== undefined && iat <= now + CLOCK_TOLERANCE_SECONDS ? iat : now
  return { exp, lifetime: exp - since }
}

/** JSON.parse makes Infinity of 1e400. */
function checkFinite(claim: string, time: number | undefined): void {
  if (time !== undefined && !Number.isFinite(time))
    throw new RefusedClaims(`the "${claim}" claim of the JWT is not valid`)
}

/** RFC 8725, 2.8: a JWT made for another purpose must not be good for this one. */
function checkKind(payload: JWTPayload): void {
  // RFC 7800, 3: whoever presents it must prove that the key is theirs, and a bearer does not
  if (payload.cnf !== undefined)
    throw new RefusedClaims(
      'the JWT is bound to a key ("cnf"), which jeton does not check: send a bearer token, without it',
    )
  // RFC 8417, 2.2: tells of something that has happened, such as a logout
  if (payload.events !== undefined)
    throw new RefusedClaims('the JWT tells of events ("events"): it does not identify a caller')
}
