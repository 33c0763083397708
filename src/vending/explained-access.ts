import type { Principal } from '../authentication/principal.ts'
import type { CompiledGrants } from '../authorization/compiled-grants.ts'
import { explain, type GrantExplanation } from '../authorization/explain.ts'
import type { PartialAccessRequest } from '../authorization/grant.ts'
import { missesForIds } from '../authorization/immutable-subject.ts'
import { findKnownClaims } from '../authorization/tenancy/issuer-claims.ts'
import type { StaticConfig } from '../config/load.ts'
import { type ClaimedIssuer, claimedPrincipal, couldVerify } from './claimed-principal.ts'
import type { GivenClaims } from './given-claims.ts'
import { jwtNotes } from './jwt-notes.ts'

type Issuer = StaticConfig['issuers'][number]

/** What grants decide about a principal that only claims to be one. */
export interface ExplainedAccess {
  readonly principal: Pick<Principal, 'issuer' | 'subject'>
  /** What to know besides: sentences without a claim's value. */
  readonly notes: readonly string[]
  /** Nearest miss first. */
  readonly grants: readonly ExplainedGrant[]
  /** Whether one of them allows the request. */
  readonly isGranted: boolean
}

export interface ExplainedGrant extends GrantExplanation {
  /** What is likely to be behind its misses. */
  readonly hint?: string
}

export interface ExplainAccessOptions extends ClaimedIssuer {
  readonly grants: CompiledGrants
  readonly request: PartialAccessRequest
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The moment to ask about (ms since the epoch); default: `now`. */
  readonly at?: number
  /** The most grants that are returned; default: all. */
  readonly maxGrants?: number
}

/**
 * Returns what every grant decides about whoever has these claims. Believes them without verifying anything, and notes what of a
 * JWT would not verify. Calls nobody. Throws `UsageError` if the claims make no principal.
 */
export function explainAccess(given: GivenClaims, options: ExplainAccessOptions): ExplainedAccess {
  const { grants, issuers, request, now, at = now, maxGrants } = options
  const principal = claimedPrincipal(given, options)
  const configured = issuers.find(({ name }) => name === principal.issuer)
  const explanations = explain(grants, { principal, request, now: at }, maxGrants)
  const { issuer, subject } = principal
  return {
    principal: { issuer, subject },
    notes: notesOf(given, { configured, now }),
    grants: explanations.map(explanation => withHint(explanation, { principal, configured })),
    isGranted: explanations.some(({ misses }) => misses === 0),
  }
}

function notesOf(
  given: GivenClaims,
  { configured, now }: { configured: Issuer | undefined; now: number },
): string[] {
  const { claims, jwt } = given
  return [
    ...(jwt === undefined ? [] : jwtNotes({ jwt, claims, demands: configured, now })),
    ...(configured && !couldVerify(configured, given)
      ? [`${configured.name} accepts no JWT with this "iss"${jwt === undefined ? ' or "aud"' : ''}`]
      : []),
  ]
}

/** Says that a grant misses a subject of GitHub for its ids alone, which none had when most grants were written. */
function withHint(
  explanation: GrantExplanation,
  { principal, configured }: { principal: Principal; configured: Issuer | undefined },
): ExplainedGrant {
  const isGithub = configured !== undefined && findKnownClaims(configured.issuer)?.name === 'GitHub Actions'
  const isMissed = explanation.conditions.some(
    ({ name, wanted, holds }) =>
      (name === 'subject' || name === 'claim sub') && !holds && missesForIds(wanted, principal.subject),
  )
  return isGithub && isMissed ? { ...explanation, hint: IMMUTABLE_SUBJECT_HINT } : explanation
}

const IMMUTABLE_SUBJECT_HINT =
  'this subject has ids, as those of repositories that were created, renamed or transferred since 15 July 2026 do, and the grant is for the form without: match the claim repository_id or repository_owner_id instead'
