import { API_KEY_ISSUER } from '../authentication/api-key.ts'
import { acceptsAudience } from '../authentication/audience.ts'
import type { Principal } from '../authentication/principal.ts'
import type { StaticConfig } from '../config/load.ts'
import { namesText } from '../config/problems.ts'
import { UsageError } from '../errors.ts'
import type { GivenClaims } from './given-claims.ts'

type Issuers = StaticConfig['issuers']

export interface ClaimedIssuer {
  readonly issuers: Issuers
  /** Its name in the configuration, if `iss` and `aud` do not identify it. */
  readonly issuerName: string | undefined
  /** What people name an issuer with, such as `--issuer`: for messages. */
  readonly issuerOption: string
}

/**
 * Returns the principal that claims would make if they were verified, with an issuer of the configuration. Throws `UsageError`
 * if they have no subject, or if their issuer must be named.
 */
export function claimedPrincipal(given: GivenClaims, issuer: ClaimedIssuer): Principal {
  const { sub } = given.claims
  if (typeof sub !== 'string' || sub === '')
    throw new UsageError('the claims have no "sub", which every principal needs')
  if (issuer.issuerName === API_KEY_ISSUER) return { issuer: API_KEY_ISSUER, subject: sub, claims: {} }
  const name = issuer.issuerName === undefined ? issuerOf(given, issuer) : requireIssuer(issuer)
  return { issuer: name, subject: sub, claims: given.claims }
}

/** Whether an issuer could have made claims as far as `iss` and `aud` say. The audience of a JWT has a note of its own. */
export function couldVerify(configured: Issuers[number], { claims, jwt }: GivenClaims): boolean {
  return jwt === undefined ? accepts(configured, claims) : claims.iss === configured.issuer
}

function requireIssuer({ issuers, issuerName, issuerOption }: ClaimedIssuer): string {
  const named = issuers.find(({ name }) => name === issuerName)
  if (named) return named.name
  throw new UsageError(
    `${issuerOption}: the configuration has no issuer of that name; it has: ${issuerNames(issuers)}`,
  )
}

/** A JWT that is for another audience than its only possible issuer's is explained all the same, with a note. */
function issuerOf({ claims, jwt }: GivenClaims, { issuers, issuerOption }: ClaimedIssuer): string {
  const named = issuers.filter(issuer => claims.iss === issuer.issuer)
  const accepting = named.filter(issuer => accepts(issuer, claims))
  const candidates = jwt !== undefined && accepting.length === 0 && named.length === 1 ? named : accepting
  const [only, another] = candidates
  if (only && !another) return only.name
  if (only)
    throw new UsageError(
      `several issuers have this "iss" and "aud", and only their keys tell them apart: name one with ${issuerOption} (${issuerNames(candidates)})`,
    )
  throw new UsageError(
    `no configured issuer has this "iss" and "aud": name one with ${issuerOption} (${issuerNames(issuers)}, or ${API_KEY_ISSUER})`,
  )
}

function issuerNames(issuers: Issuers): string {
  return namesText(issuers.map(({ name }) => name))
}

/** Claims that are missing contradict nothing. */
function accepts(configured: Issuers[number], { iss, aud }: Principal['claims']): boolean {
  const isAudience = aud === undefined || acceptsAudience(configured, aud)
  return isAudience && (iss === undefined || iss === configured.issuer)
}
