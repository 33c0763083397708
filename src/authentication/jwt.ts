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
  /** Its URL, exactly as `iss` says it. */
  readonly issuer: string
  readonly audience: string
  readonly keys: IssuerKeys
}

export interface JwtSchemeOptions {
  issuers: readonly TrustedIssuer[]
  clock: Clock
}

/** Asymmetric signatures alone: with an HMAC among them, a public key would do as the secret (RFC 8725, 3.1). */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
const CLOCK_TOLERANCE_SECONDS = 60

/**
 * The way in for `Authorization: Bearer JWT` (RFC 7519; the checks are those of RFC 8725). `iss`, `aud`, `sub` and `exp`
 * are required, `nbf` and `crit` honoured, and 60 s of disagreement between clocks forgiven. The unverified `iss` only
 * picks among the configured issuers; keys come from their key sets alone, never from a JWT's `jwk`, `jku` or `x5u`.
 * Where several configured issuers share a URL, the first whose keys and audience fit is the one.
 * Does not look at `jti` or revocation: a JWT is good, again and again, until it expires.
 */
export function createJwtScheme({ issuers, clock }: JwtSchemeOptions): AuthScheme {
  async function verify(jwt: string): Promise<VerifiedJwt> {
    const { header, iss } = unverified(jwt)
    const candidates = issuers.filter(trusted => trusted.issuer === iss)
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

interface Presented {
  jwt: string
  header: JWTHeaderParameters
  clock: Clock
}

async function verifyFor(trusted: TrustedIssuer, { jwt, header, clock }: Presented): Promise<VerifiedJwt> {
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

/** Several keys fit where the JWT names none (no `kid`): then any of them may be the one. */
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
  let refused: unknown
  for (const key of keys) {
    try {
      return (await jwtVerify(jwt, key, options)).payload
    } catch (cause) {
      if (!isBadSignature(cause)) throw cause
      refused = cause
    }
  }
  throw refused
}

/** What a JWT says of itself, not one word of it believed yet. */
function unverified(jwt: string): { header: JWTHeaderParameters; iss: string } {
  const { alg, ...rest } = decoded(() => decodeProtectedHeader(jwt))
  if (alg === undefined || !ALGORITHMS.includes(alg))
    throw unauthenticated(`the JWT must be signed with one of ${ALGORITHMS.join(', ')}`)
  const { iss } = decoded(() => decodeJwt(jwt))
  if (typeof iss !== 'string') throw unauthenticated('the JWT has no "iss" claim')
  return { header: { alg, ...rest }, iss }
}

/** jose's own errors here are not passed on: their causes quote the JWT. */
function decoded<T>(decode: () => T): T {
  try {
    return decode()
  } catch {
    throw unauthenticated('the credential is not a signed JWT')
  }
}
