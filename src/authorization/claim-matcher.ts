import type { Claim, Principal } from '../authentication/principal.ts'
import { type ClaimObject, isClaimList, isClaimObject, ownClaim, textOf } from './claims.ts'
import { alternatives, type ClaimSpec, isNested, type PrincipalSpec, type Scalar } from './grant.ts'
import { compileWildcard } from './wildcard.ts'

/** One condition of a grant, held against what a principal brought. */
export interface ClaimFinding {
  /** `subject`, or `claim a.b` for a nested one. */
  readonly name: string
  /** Any of these patterns. */
  readonly wanted: readonly string[]
  /** What the JWT says, undefined where it says nothing. Chosen by whoever asks: escape it before it is shown. */
  readonly found: Claim | undefined
  readonly holds: boolean
}

/** The conditions that a grant puts on a principal; the issuer is not among them. */
export interface PrincipalCheck {
  /** Whether all of them hold. */
  holds(principal: Principal): boolean
  /** The same, condition by condition, in the order of the configuration. Costs more: for refusals and operators. */
  explain(principal: Principal): ClaimFinding[]
}

interface ClaimCheck {
  holds(claim: Claim | undefined): boolean
  explain(claim: Claim | undefined): ClaimFinding[]
}

/**
 * Compiles what a grant wants of a principal. A claim that is missing or null never matches, nor does an object where text
 * is wanted or text where an object is; a list matches where one of its own elements does. Without any condition
 * nobody matches, unless it says `anyone: true`.
 */
export function compilePrincipal({ subject, claims, anyone }: PrincipalSpec): PrincipalCheck {
  if (subject === undefined && Object.keys(claims ?? {}).length === 0 && !anyone) return nobody
  const ofSubject = subject === undefined ? undefined : compileText('subject', subject)
  const ofClaims = claims === undefined ? undefined : compileMembers(claims, [])
  return {
    holds: principal =>
      (ofSubject?.holds(principal.subject) ?? true) && (ofClaims?.holds(principal.claims) ?? true),
    explain: principal => [
      ...(ofSubject?.explain(principal.subject) ?? []),
      ...(ofClaims?.explain(principal.claims) ?? []),
    ],
  }
}

/** A grant that was left open is a configuration error; should one get this far, it opens nothing. */
const nobody: PrincipalCheck = {
  holds: () => false,
  explain: () => [{ name: 'anyone', wanted: ['true'], found: undefined, holds: false }],
}

function compileClaim(spec: ClaimSpec[string], path: readonly string[]): ClaimCheck {
  return isNested(spec) ? compileNested(spec, path) : compileText(`claim ${path.join('.')}`, spec)
}

function compileText(name: string, spec: Scalar | readonly Scalar[]): ClaimCheck {
  const scalars = alternatives(spec)
  const matchers = scalars.map(scalar => {
    const text = textOf(scalar)
    return text === undefined ? () => false : compileWildcard(text)
  })
  const matches = (claim: Claim) => {
    const text = textOf(claim)
    return text !== undefined && matchers.some(matcher => matcher(text))
  }
  const holds = (claim: Claim | undefined) =>
    isClaimList(claim) ? claim.some(matches) : claim !== undefined && matches(claim)
  return {
    holds,
    explain: claim => [{ name, wanted: scalars.map(String), found: claim, holds: holds(claim) }],
  }
}

/** Of a list of objects one must hold by itself: what is wanted may not be gathered from several. */
function compileNested(spec: ClaimSpec, path: readonly string[]): ClaimCheck {
  const members = compileMembers(spec, path)
  const objects = (claim: Claim | undefined): ClaimObject[] =>
    (isClaimList(claim) ? claim : [claim]).filter(isClaimObject)
  return {
    holds: claim => objects(claim).some(members.holds),
    explain(claim) {
      if (claim === undefined && Object.keys(spec).length > 0) return members.explain({})
      const findings = objects(claim).map(members.explain)
      const misses = findings.map(missing)
      return (
        findings[misses.indexOf(Math.min(...misses))] ?? [
          { name: `claim ${path.join('.')}`, wanted: ['an object'], found: claim, holds: false },
        ]
      )
    },
  }
}

function compileMembers(spec: ClaimSpec, path: readonly string[]) {
  const checks = Object.entries(spec).map(([name, wanted]) => ({
    name,
    check: compileClaim(wanted, [...path, name]),
  }))
  return {
    holds: (claims: ClaimObject) => checks.every(({ name, check }) => check.holds(ownClaim(claims, name))),
    explain: (claims: ClaimObject) =>
      checks.flatMap(({ name, check }) => check.explain(ownClaim(claims, name))),
  }
}

/** How many of the conditions do not hold. */
export function missing(findings: readonly ClaimFinding[]): number {
  return findings.reduce((count, { holds }) => count + (holds ? 0 : 1), 0)
}
