import { errors } from 'jose'
import { JetonError } from '../errors.ts'
import { RefusedClaims } from './jwt-claims.ts'
import { unauthenticated } from './unauthenticated.ts'

/** Why a JWT did not verify for one issuer: what jose threw, RefusedClaims, or the JetonError of the issuer's keys. */
export interface JwtFailure {
  readonly cause: unknown
  /** The name of the configured issuer. */
  readonly issuer: string
}

type ClaimFailure = RefusedClaims | errors.JWTExpired | errors.JWTClaimValidationFailed

/** Whether only the signature was wrong, so that another key may fit. */
export function isBadSignature(cause: unknown): boolean {
  return cause instanceof errors.JWSSignatureVerificationFailed
}

/**
 * Returns the error for a JWT that none of several issuers accepted. An issuer whose keys cannot be fetched might have
 * accepted it, so that comes first; then one whose key did sign it, since the JWT was surely meant for that one.
 */
export function jwtError(failures: readonly JwtFailure[]): JetonError {
  const failure =
    failures.find(({ cause }) => isUnavailable(cause)) ??
    failures.find(({ cause }) => isClaimFailure(cause)) ??
    failures.find(({ cause }) => isBadSignature(cause)) ??
    failures[0]
  if (failure?.cause instanceof JetonError) return failure.cause
  const message = messageFor(failure)
  return unauthenticated(message, failure ? `issuer ${failure.issuer}: ${message}` : message)
}

function isUnavailable(cause: unknown): boolean {
  return cause instanceof JetonError && cause.code !== 'unauthenticated'
}

/** Claims are checked only after the signature. */
function isClaimFailure(cause: unknown): cause is ClaimFailure {
  return (
    cause instanceof RefusedClaims ||
    cause instanceof errors.JWTExpired ||
    cause instanceof errors.JWTClaimValidationFailed
  )
}

/** Never jose's own message: some of them, or their causes, quote the JWT. */
function messageFor(failure: JwtFailure | undefined): string {
  const cause = failure?.cause
  if (isBadSignature(cause)) return 'the signature of the JWT does not verify'
  return isClaimFailure(cause) ? claimMessage(cause) : 'the JWT is malformed'
}

function claimMessage(cause: ClaimFailure): string {
  if (cause instanceof RefusedClaims) return cause.message
  const { claim, payload } = cause
  if (cause.reason === 'missing') return `the JWT has no "${claim}" claim`
  if (cause instanceof errors.JWTExpired) return `the JWT expired${dateNote(' at ', payload.exp)}`
  if (claim === 'nbf' && cause.reason === 'check_failed')
    return `the JWT is not valid yet${dateNote(': not before ', payload.nbf)}`
  return `the "${claim}" claim of the JWT is not valid`
}

/** Empty if there is no such date: a NumericDate (RFC 7519, 2) may be any number, a Date may not. */
function dateNote(prefix: string, seconds: number | undefined): string {
  const date = new Date((seconds ?? Number.NaN) * 1000)
  return Number.isNaN(date.getTime()) ? '' : `${prefix}${date.toISOString()}`
}
