import { compactVerify } from 'jose'
import type { Clock } from '../lib/clock.ts'
import { getOrCreate, groupBy } from '../lib/maps.ts'
import { parseCompactJwt, type UnverifiedJwt } from './compact-jwt.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { type ClaimDemands, checkClaims } from './jwt-claims.ts'
import { isBadSignature, type JwtFailure, jwtError } from './jwt-errors.ts'
import { checkValidity } from './jwt-validity.ts'
import type { AuthScheme, Principal } from './principal.ts'
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
  /** As in `VerifiedJwtCacheOptions`. */
  extraBytesOf?: ((principal: Principal) => number) | undefined
}

/**
 * Returns the scheme for `Authorization: Bearer JWT` (RFC 7519), which checks what RFC 8725 asks for. `iss`, `aud`, `sub`
 * and `exp` are required, `nbf` is honoured; clocks may disagree by 60 s. The unverified `iss` only selects among
 * the configured issuers; keys never come from the JWT (`jwk`, `jku`, `x5u`). If several issuers share a URL, the first
 * whose keys and audience fit is the principal's. Does not check `jti` or revocation: a JWT is good until it expires.
 */
export function createJwtScheme({ issuers, clock, extraBytesOf }: JwtSchemeOptions): AuthScheme {
  const issuersByUrl = groupBy(issuers, ({ issuer }) => issuer)

  async function verify(jwt: string): Promise<VerifiedJwt> {
    const { header, payload, iss } = parseCompactJwt(jwt)
    const candidates = issuersByUrl.get(iss)
    if (!candidates)
      throw unauthenticated(
        'the issuer of the JWT is not trusted here',
        `no issuer ${JSON.stringify(iss.slice(0, 200))} is configured`,
      )
    // issuers of one URL may have the same keys: they are tried once
    const verifications = new Map<IssuerKeys, Promise<number>>()
    const failures: JwtFailure[] = []
    for (const issuer of candidates) {
      const { name, keys } = issuer
      try {
        const create = () => verifySignature(jwt, { header, issuerKeys: keys })
        const version = await getOrCreate(verifications, { key: keys, create })
        checkValidity(payload, clock.now())
        const { subject, claims, expiresAt } = checkClaims(payload, { demands: issuer, now: clock.now() })
        return { principal: { issuer: name, subject, claims }, expiresAt, keys, version }
      } catch (cause) {
        failures.push({ cause, issuer: name })
      }
    }
    throw jwtError(failures)
  }

  return { scheme: 'Bearer', ...cacheVerifiedJwts({ verify, clock, extraBytesOf }) }
}

interface Signer {
  header: UnverifiedJwt['header']
  issuerKeys: IssuerKeys
}

/**
 * Tries the issuer's keys, and newer ones if none of them has made the signature. Returns the version of the set of the one
 * that has. There are several keys only if the JWT names none (no `kid`): any of them may be the right one.
 */
async function verifySignature(jwt: string, { header, issuerKeys }: Signer): Promise<number> {
  const options = { algorithms: [header.alg] }
  let resolved = await issuerKeys.resolve(header)
  for (;;) {
    let badSignature: unknown
    for (const key of resolved.keys) {
      try {
        await compactVerify(jwt, key, options)
        return resolved.version
      } catch (cause) {
        if (!isBadSignature(cause)) throw cause
        badSignature = cause
      }
    }
    const next = await resolved.next()
    if (!next) throw badSignature
    resolved = next
  }
}
