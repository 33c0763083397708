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
    // claims are checked only after the signature
    failures.find(({ cause }) => cause instanceof RefusedClaims) ??
    failures.find(({ cause }) => isBadSignature(cause)) ??
    failures[0]
  if (failure?.cause instanceof JetonError) return failure.cause
  const message = messageFor(failure)
  return unauthenticated(message, failure ? `issuer ${failure.issuer}: ${message}` : message)
}

function isUnavailable(cause: unknown): boolean {
  return cause instanceof JetonError && cause.code !== 'unauthenticated'
}

/** Never jose's own message: some of them, or their causes, quote the JWT. */
function messageFor(failure: JwtFailure | undefined): string {
  const cause = failure?.cause
  if (isBadSignature(cause)) return 'the signature of the JWT does not verify'
  return cause instanceof RefusedClaims ? cause.message : 'the JWT is malformed'
}
