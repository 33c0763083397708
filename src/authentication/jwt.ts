import {
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import type { Clock } from '../lib/clock.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { isBadSignature, type JwtFailure, jwtError } from './jwt-errors.ts'
import type { AuthScheme, Claim } from './principal.ts'
import { unauthenticated } from './unauthenticated.ts'
import { cacheVerifiedJwts, type VerifiedJwt } from './verified-jwt-cache.ts'

export interface TrustedIssuer {
  /** The name that grants use. */
  readonly name: string
  /** Its URL, exactly as in `iss`. */
  readonly issuer: string
  readonly audience: string
  readonly keys: IssuerKeys
}

export interface JwtSchemeOptions {
  issuers: readonly TrustedIssuer[]
  clock: Clock
}

/** Asymmetric signatures alone: if HMAC were among them, a public key would serve as the secret (RFC 8725, 3.1). */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
const CLOCK_TOLERANCE_SECONDS = 60

/**
 * Returns the scheme for `Authorization: Bearer JWT` (RFC 7519), which checks what RFC 8725 asks for. `iss`, `aud`, `sub`
 * and `exp` are required, `nbf` and `crit` honoured; clocks may disagree by 60 s. The unverified `iss` only selects among
 * the configured issuers; keys never come from the JWT (`jwk`, `jku`, `x5u`). If several issuers share a URL, the first
 * whose keys and audience fit is the principal's. Does not check `jti` or revocation: a JWT is good until it expires.
 */
export function createJwtScheme({ issuers, clock }: JwtSchemeOptions): AuthScheme {
  async function verify(jwt: string): Promise<VerifiedJwt> {
    const { header, iss } = decodeUnverified(jwt)
    const candidates = issuers.filter(({ issuer }) => issuer === iss)
    if (candidates.length === 0)
      throw unauthenticated(
        'the issuer of the JWT is not trusted here',
        `no issuer ${JSON.stringify(iss.slice(0, 200))} is configured`,
      )
    const failures: JwtFailure[] = []
    for (const expected of candidates) {
      try {
        return await verifyFor(expected, { jwt, header, clock })
      } catch (cause) {
        failures.push({ cause, expected })
      }
    }
    throw jwtError(failures)
  }

  return { scheme: 'Bearer', authenticate: cacheVerifiedJwts({ verify, clock }) }
}

interface PresentedJwt {
  jwt: string
  header: JWTHeaderParameters
  clock: Clock
}

async function verifyFor(trusted: TrustedIssuer, { jwt, header, clock }: PresentedJwt): Promise<VerifiedJwt> {
  const { keys, version } = await trusted.keys.resolve(header)
  const payload = await verifyWithAny(keys, { jwt, trusted, now: clock.now() })
  const { sub, exp } = payload
  if (typeof sub !== 'string' || sub === '')
    throw new errors.JWTClaimValidationFailed('"sub" must be text', payload, 'sub', 'invalid')
  if (typeof exp !== 'number')
    throw new errors.JWTClaimValidationFailed('"exp" must be a number', payload, 'exp', 'invalid')
  const claims = payload as { readonly [name: string]: Claim }
  return {
    principal: { issuer: trusted.name, subject: sub, claims },
    expiresAt: exp * 1000,
    keys: trusted.keys,
    version,
  }
}

/** There are several keys only if the JWT names none (no `kid`): any of them may be the right one. */
async function verifyWithAny(
  keys: readonly CryptoKey[],
  { jwt, trusted, now }: { jwt: string; trusted: TrustedIssuer; now: number },
): Promise<JWTPayload> {
  const options = {
    algorithms: ALGORITHMS,
    issuer: trusted.issuer,
    audience: trusted.audience,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(now),
  }
  let badSignature: unknown
  for (const key of keys) {
    try {
      return (await jwtVerify(jwt, key, options)).payload
    } catch (cause) {
      if (!isBadSignature(cause)) throw cause
      badSignature = cause
    }
  }
  throw badSignature
}

/** What a JWT claims before anything is verified: good for choosing the issuer and the key, and for nothing else. */
function decodeUnverified(jwt: string): { header: JWTHeaderParameters; iss: string } {
  const header = decodeOrRefuse(() => decodeProtectedHeader(jwt))
  const { alg } = header
  if (alg === undefined || !ALGORITHMS.includes(alg))
    throw unauthenticated(`the JWT must be signed with one of ${ALGORITHMS.join(', ')}`)
  const { iss } = decodeOrRefuse(() => decodeJwt(jwt))
  if (typeof iss !== 'string') throw unauthenticated('the JWT has no "iss" claim')
  return { header: { ...header, alg }, iss }
}

/** Drops jose's own errors: their causes quote the JWT. */
function decodeOrRefuse<T>(decode: () => T): T {
  try {
    return decode()
  } catch {
    throw unauthenticated('the credential is not a signed JWT')
  }
}
