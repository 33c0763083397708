import { type CryptoKey, type JWTHeaderParameters, type JWTPayload, jwtVerify } from 'jose'
import type { Clock } from '../lib/clock.ts'
import { getOrCreate } from '../lib/maps.ts'
import { ALGORITHMS, parseCompactJwt } from './compact-jwt.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { CLOCK_TOLERANCE_SECONDS, type ClaimDemands, checkClaims } from './jwt-claims.ts'
import { isBadSignature, type JwtFailure, jwtError } from './jwt-errors.ts'
import type { AuthScheme } from './principal.ts'
import { unauthenticated } from './unauthenticated.ts'
import { cacheVerifiedJwts, type VerifiedJwt } from './verified-jwt-cache.ts'

export interface TrustedIssuer extends ClaimDemands {
  /** The name that grants use. */
  readonly name: string
  /** Its URL, exactly as in `iss`. */
  readonly issuer: string
  readonly keys: IssuerKeys
}

export interface JwtSchemeOptions {
  issuers: readonly TrustedIssuer[]
  clock: Clock
}

/**
 * Returns the scheme for `Authorization: Bearer JWT` (RFC 7519), which checks what RFC 8725 asks for. `iss`, `aud`, `sub`
 * and `exp` are required, `nbf` is honoured; clocks may disagree by 60 s. The unverified `iss` only selects among
 * the configured issuers; keys never come from the JWT (`jwk`, `jku`, `x5u`). If several issuers share a URL, the first
 * whose keys and audience fit is the principal's. Does not check `jti` or revocation: a JWT is good until it expires.
 */
export function createJwtScheme({ issuers, clock }: JwtSchemeOptions): AuthScheme {
  async function verify(jwt: string): Promise<VerifiedJwt> {
    const { header, iss } = parseCompactJwt(jwt)
    const candidates = issuers.filter(({ issuer }) => issuer === iss)
    if (candidates.length === 0)
      throw unauthenticated(
        'the issuer of the JWT is not trusted here',
        `no issuer ${JSON.stringify(iss.slice(0, 200))} is configured`,
      )
    // issuers of one URL may have the same keys: they are tried once
    const verifications = new Map<IssuerKeys, Promise<SignedClaims>>()
    const failures: JwtFailure[] = []
    for (const { name, keys, ...demands } of candidates) {
      try {
        const create = () => verifySignature(keys, { jwt, header, iss, clock })
        const { payload, version } = await getOrCreate(verifications, { key: keys, create })
        const { subject, claims, expiresAt } = checkClaims(payload, { ...demands, now: clock.now() })
        return { principal: { issuer: name, subject, claims }, expiresAt, keys, version }
      } catch (cause) {
        failures.push({ cause, issuer: name })
      }
    }
    throw jwtError(failures)
  }

  return { scheme: 'Bearer', ...cacheVerifiedJwts({ verify, clock }) }
}

interface PresentedJwt {
  jwt: string
  header: JWTHeaderParameters
  iss: string
  clock: Clock
}

/** The payload of a JWT whose signature, `iss`, `exp` and `nbf` are good, and the version of the keys that say so. */
interface SignedClaims {
  payload: JWTPayload
  version: number
}

/** Tries the issuer's keys, and newer ones if none of them has made the signature. */
async function verifySignature(
  issuerKeys: IssuerKeys,
  { header, ...presented }: PresentedJwt,
): Promise<SignedClaims> {
  let resolved = await issuerKeys.resolve(header)
  for (;;) {
    try {
      return { payload: await verifyWithAny(resolved.keys, presented), version: resolved.version }
    } catch (cause) {
      const next = isBadSignature(cause) ? await resolved.next() : undefined
      if (!next) throw cause
      resolved = next
    }
  }
}

/** There are several keys only if the JWT names none (no `kid`): any of them may be the right one. */
async function verifyWithAny(
  keys: readonly CryptoKey[],
  { jwt, iss, clock }: Omit<PresentedJwt, 'header'>,
): Promise<JWTPayload> {
  const options = {
    algorithms: [...ALGORITHMS],
    issuer: iss,
    requiredClaims: ['aud', 'sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(clock.now()),
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
