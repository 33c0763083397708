import { errors } from 'jose'
import { JetonError } from '../errors.ts'
import { unauthenticated } from './unauthenticated.ts'

/** For whom a JWT was meant to be checked. */
export interface ExpectedIssuer {
  readonly name: string
  readonly audience: string
}

/** Why a JWT did not verify for one issuer: what jose threw, or a JetonError of its key set. */
export interface JwtFailure {
  readonly cause: unknown
  readonly expected: ExpectedIssuer
}

/** Whether only the signature was wrong, so that another key may fit. */
export function isBadSignature(cause: unknown): boolean {
  return cause instanceof errors.JWSSignatureVerificationFailed
}

/**
 * The refusal to give where none of several issuers took a JWT. One whose keys cannot be had might have taken it, so that
 * comes first; then the one whose signature held, since the JWT was surely meant for it.
 */
export function jwtError(failures: readonly JwtFailure[]): JetonError {
  const unknown = failures.find(({ cause }) => isUnavailable(cause))
  const signed = failures.find(({ cause }) => isOfClaims(cause))
  const tried = failures.find(({ cause }) => isBadSignature(cause))
  const telling = unknown ?? signed ?? tried ?? failures[0]
  if (telling?.cause instanceof JetonError) return telling.cause
  const text = textOf(telling)
  return unauthenticated(text, telling ? `issuer ${telling.expected.name}: ${text}` : text)
}

function isUnavailable(cause: unknown): boolean {
  return cause instanceof JetonError && cause.code !== 'unauthenticated'
}

/** jose looks at the claims only after the signature. */
function isOfClaims(cause: unknown): cause is errors.JWTExpired | errors.JWTClaimValidationFailed {
  return cause instanceof errors.JWTExpired || cause instanceof errors.JWTClaimValidationFailed
}

/** jose's own messages are not passed on: some of them, or their causes, quote the JWT. */
function textOf(failure: JwtFailure | undefined): string {
  const cause = failure?.cause
  if (isBadSignature(cause)) return 'the signature of the JWT does not verify'
  if (cause instanceof errors.JOSENotSupported)
    return 'the JWT names an extension in "crit" that is not understood here'
  if (failure && isOfClaims(cause)) return claimText(cause, failure.expected)
  return 'the JWT is malformed'
}

function claimText(
  cause: errors.JWTExpired | errors.JWTClaimValidationFailed,
  expected: ExpectedIssuer,
): string {
  const { claim, payload } = cause
  if (cause.reason === 'missing') return `the JWT has no "${claim}" claim`
  if (claim === 'aud') return `the audience of the JWT is not "${expected.audience}"`
  if (cause instanceof errors.JWTExpired) return `the JWT expired${at(payload.exp)}`
  if (claim === 'nbf' && cause.reason === 'check_failed')
    return `the JWT is not valid yet${at(payload.nbf, ': not before ')}`
  return `the "${claim}" claim of the JWT is not valid`
}

/** A NumericDate (RFC 7519, 2) may be any number, a Date may not. */
function at(seconds: number | undefined, before = ' at '): string {
  const date = new Date((seconds ?? Number.NaN) * 1000)
  return Number.isNaN(date.getTime()) ? '' : `${before}${date.toISOString()}`
}
