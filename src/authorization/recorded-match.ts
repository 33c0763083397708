import type { Claim } from '../authentication/principal.ts'
import { type CheckedCondition, compileText } from './claim-matcher.ts'
import { type ClaimObject, elementsOf, isClaimList, isClaimObject, ownClaim } from './claims.ts'
import { type ClaimSpec, isNested, type PrincipalSpec, type Scalar } from './grant.ts'

/** What a grant finds at a claim: text, or an object with members. */
export type ClaimForm = 'text' | 'object'

/** A principal as a record has it: with those of its claims alone that its issuer's grants named then. */
export interface RecordedPrincipal {
  readonly issuer: string
  /** Undefined if the record has only a part of it. */
  readonly subject: string | undefined
  readonly claims: ClaimObject
  /** Whether grants named a claim in this form then: if it is not in the record, the JWT did not have it either. */
  isNamed(path: readonly string[], form: ClaimForm): boolean
}

/** One condition of a grant, as far as a record tells. */
export interface RecordedCondition extends Omit<CheckedCondition, 'holds'> {
  readonly verdict: RecordedVerdict
}

/** `unknown`: the record lacks what would tell. */
export type RecordedVerdict = 'holds' | 'misses' | 'unknown'

/** Returns the conditions of a grant on a principal, except for the issuer, as far as its record tells. */
export type RecordedMatcher = (principal: RecordedPrincipal) => readonly RecordedCondition[]

/** Compiles the conditions of a grant for principals of records. They hold and miss as those of `compilePrincipal` would. */
export function compileRecorded({ subject, claims, anyone }: PrincipalSpec): RecordedMatcher {
  const isEmpty = subject === undefined && Object.keys(claims ?? {}).length === 0
  const ofSubject = subject === undefined ? undefined : compileText(subject, () => 'subject')
  const ofClaims = compileMembers(claims ?? {}, [])
  return principal => {
    if (isEmpty)
      return anyone ? [] : [{ name: 'anyone', wanted: ['true'], found: undefined, verdict: 'misses' }]
    const [subjectCondition] = ofSubject?.explain(principal.subject) ?? []
    const isCut = principal.subject === undefined
    return [
      ...(subjectCondition ? [withVerdict(subjectCondition, isCut)] : []),
      ...ofClaims(principal.claims, principal),
    ]
  }
}

/** Returns whether all conditions hold, whether one certainly misses, or that neither can be told. */
export function verdictOf(conditions: readonly RecordedCondition[]): RecordedVerdict {
  if (conditions.some(({ verdict }) => verdict === 'misses')) return 'misses'
  return conditions.every(({ verdict }) => verdict === 'holds') ? 'holds' : 'unknown'
}

type RecordedClaimMatcher = (claim: Claim | undefined, principal: RecordedPrincipal) => RecordedCondition[]

function compileClaim(spec: ClaimSpec[string], path: readonly string[]): RecordedClaimMatcher {
  return isNested(spec) ? compileNested(spec, path) : compileScalars(spec, path)
}

function compileScalars(spec: Scalar | readonly Scalar[], path: readonly string[]): RecordedClaimMatcher {
  const matcher = compileText(spec, () => `claim ${path.join('.')}`)
  return (claim, principal) => {
    // of a list, a record has only the elements in a form that was named
    const hasNoText = isClaimList(claim) && elementsOf(claim).every(isClaimObject)
    const isOpen = (claim === undefined || hasNoText) && !principal.isNamed(path, 'text')
    return matcher.explain(claim).map(condition => withVerdict(condition, isOpen))
  }
}

function compileNested(spec: ClaimSpec, path: readonly string[]): RecordedClaimMatcher {
  const members = compileMembers(spec, path)
  const noObject = (found: Claim | undefined, verdict: RecordedVerdict): RecordedCondition => ({
    name: `claim ${path.join('.')}`,
    wanted: ['an object'],
    found,
    verdict,
  })
  return (claim, principal) => {
    const isOpen = !principal.isNamed(path, 'object')
    if (claim === undefined && Object.keys(spec).length === 0)
      return [noObject(claim, isOpen ? 'unknown' : 'misses')]
    if (claim === undefined)
      return isOpen
        ? members({}, principal).map(condition => ({ ...condition, verdict: 'unknown' }))
        : members({}, { ...principal, isNamed: () => true })
    const objects = elementsOf(claim).filter(isClaimObject)
    if (objects.length === 0) return [noObject(claim, isClaimList(claim) && isOpen ? 'unknown' : 'misses')]
    const candidates = objects.map(object => members(object, principal))
    const byVerdict = (wanted: RecordedVerdict) => candidates.find(each => verdictOf(each) === wanted)
    return byVerdict('holds') ?? byVerdict('unknown') ?? nearest(candidates)
  }
}

function compileMembers(spec: ClaimSpec, path: readonly string[]) {
  const matchers = Object.entries(spec).map(([name, wanted]) => ({
    name,
    matcher: compileClaim(wanted, [...path, name]),
  }))
  return (claims: ClaimObject, principal: RecordedPrincipal) =>
    matchers.flatMap(({ name, matcher }) => matcher(ownClaim(claims, name), principal))
}

function withVerdict({ holds, ...condition }: CheckedCondition, isOpen: boolean): RecordedCondition {
  return { ...condition, verdict: holds ? 'holds' : isOpen ? 'unknown' : 'misses' }
}

function nearest(candidates: readonly RecordedCondition[][]): RecordedCondition[] {
  const misses = candidates.map(each => each.filter(({ verdict }) => verdict === 'misses').length)
  return candidates[misses.indexOf(Math.min(...misses))] ?? []
}
