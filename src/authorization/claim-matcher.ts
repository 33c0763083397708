import type { Claim, Principal } from '../authentication/principal.ts'
import { type ClaimObject, elementsOf, isClaimList, isClaimObject, ownClaim, textOf } from './claims.ts'
import { alternatives, type ClaimSpec, isNested, type PrincipalSpec, type Scalar } from './grant.ts'
import { compileWildcard, type WildcardMatcher } from './wildcard.ts'

/** Of a longer list of objects, the nearest miss is looked for among so many. */
const MAX_EXPLAINED_OBJECTS = 8

/** One condition of a grant, checked against a principal. */
export interface CheckedCondition {
  /** `subject`, or `claim a.b` for a nested one. */
  readonly name: string
  /** The patterns of which one must match. */
  readonly wanted: readonly string[]
  /** What the JWT has; undefined if it has nothing. The caller chose it: escape it before it is shown. */
  readonly found: Claim | undefined
  readonly holds: boolean
}

/** The conditions of a grant on a principal, except for the issuer. */
export interface PrincipalMatcher {
  /** Whether all of them hold. */
  matches(principal: Principal): boolean
  /** Returns each condition in the order of the configuration. Costs more than `matches`: for refusals and operators. */
  explain(principal: Principal): CheckedCondition[]
}

/** One claim's condition. */
export interface ClaimMatcher {
  matches(claim: Claim | undefined): boolean
  explain(claim: Claim | undefined): CheckedCondition[]
}

/**
 * Compiles the conditions of a grant on a principal. A claim that is missing or null never matches, nor does an object if
 * text is wanted, or text if an object is. A list matches if one of its own elements does, of which 256 are looked at. Without
 * any condition nobody matches, unless the grant says `anyone: true`. The first use compiles: of many grants, few are met.
 */
export function compilePrincipal(spec: PrincipalSpec): PrincipalMatcher {
  let compiled: PrincipalMatcher | undefined
  function matcher(): PrincipalMatcher {
    compiled ??= compileConditions(spec)
    return compiled
  }
  return {
    matches: principal => matcher().matches(principal),
    explain: principal => matcher().explain(principal),
  }
}

function compileConditions({ subject, claims, anyone }: PrincipalSpec): PrincipalMatcher {
  if (subject === undefined && Object.keys(claims ?? {}).length === 0 && !anyone) return NOBODY
  const subjectMatcher = subject === undefined ? undefined : compileText(subject, () => 'subject')
  const claimsMatcher = claims === undefined ? undefined : compileMembers(claims, [])
  return {
    matches: principal =>
      (subjectMatcher?.matches(principal.subject) ?? true) &&
      (claimsMatcher?.matches(principal.claims) ?? true),
    explain: principal => [
      ...(subjectMatcher?.explain(principal.subject) ?? []),
      ...(claimsMatcher?.explain(principal.claims) ?? []),
    ],
  }
}

/** A grant without conditions is a configuration error. Should one get this far, it must not let everybody in. */
const NOBODY: PrincipalMatcher = {
  matches: () => false,
  explain: () => [{ name: 'anyone', wanted: ['true'], found: undefined, holds: false }],
}

function compileClaim(spec: ClaimSpec[string], path: readonly string[]): ClaimMatcher {
  return isNested(spec) ? compileNested(spec, path) : compileText(spec, () => `claim ${path.join('.')}`)
}

/** Returns the matcher of a text, wanted of a claim or of the subject. The name is only made to explain: few of many grants are. */
export function compileText(spec: Scalar | readonly Scalar[], nameOf: () => string): ClaimMatcher {
  const scalars = alternatives(spec)
  const matchesText = compilePatterns(scalars.map(textOf).filter(text => text !== undefined))
  const matchesScalar = (claim: Claim) => {
    const text = textOf(claim)
    return text !== undefined && matchesText(text)
  }
  const matches = (claim: Claim | undefined) =>
    isClaimList(claim) ? elementsOf(claim).some(matchesScalar) : claim !== undefined && matchesScalar(claim)
  return {
    matches,
    explain: claim => [{ name: nameOf(), wanted: scalars.map(String), found: claim, holds: matches(claim) }],
  }
}

/** Returns the matcher of several patterns, of which one must match. */
function compilePatterns(texts: readonly string[]): WildcardMatcher {
  const [only, another] = texts
  if (only !== undefined && another === undefined) return compileWildcard(only)
  const exact = new Set(texts.filter(text => !text.includes('*')))
  const patterns = texts.filter(text => text.includes('*')).map(compileWildcard)
  return text => exact.has(text) || patterns.some(pattern => pattern(text))
}

/** Of a list of objects one must match by itself: the wanted members must not be spread over several. */
function compileNested(spec: ClaimSpec, path: readonly string[]): ClaimMatcher {
  const members = compileMembers(spec, path)
  const objectsIn = (claim: Claim | undefined): ClaimObject[] =>
    claim === undefined ? [] : elementsOf(claim).filter(isClaimObject)
  return {
    matches: claim => objectsIn(claim).some(members.matches),
    explain(claim) {
      if (claim === undefined && Object.keys(spec).length > 0) return members.explain({})
      const objects = objectsIn(claim)
      const match = objects.find(members.matches)
      if (match) return members.explain(match)
      const candidates = objects.slice(0, MAX_EXPLAINED_OBJECTS).map(members.explain)
      const misses = candidates.map(countMisses)
      const nearest = candidates[misses.indexOf(Math.min(...misses))]
      if (nearest) return nearest
      return [{ name: `claim ${path.join('.')}`, wanted: ['an object'], found: claim, holds: false }]
    },
  }
}

function compileMembers(spec: ClaimSpec, path: readonly string[]) {
  const matchers = Object.entries(spec).map(([name, wanted]) => ({
    name,
    matcher: compileClaim(wanted, [...path, name]),
  }))
  return {
    matches: (claims: ClaimObject) =>
      matchers.every(({ name, matcher }) => matcher.matches(ownClaim(claims, name))),
    explain: (claims: ClaimObject) =>
      matchers.flatMap(({ name, matcher }) => matcher.explain(ownClaim(claims, name))),
  }
}

/** Returns how many of the conditions do not hold. */
export function countMisses(conditions: readonly CheckedCondition[]): number {
  return conditions.reduce((misses, { holds }) => misses + (holds ? 0 : 1), 0)
}
