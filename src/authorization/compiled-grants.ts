import type { Principal } from '../authentication/principal.ts'
import { groupBy } from '../lib/maps.ts'
import { type AuditedClaims, collectAuditedClaims } from './audited-claims.ts'
import { compilePrincipal, type PrincipalMatcher } from './claim-matcher.ts'
import { alternatives, type GrantSpec, type PrincipalSpec } from './grant.ts'
import { type Period, periodOf } from './grant-times.ts'
import { indexByPattern, type PatternIndex } from './pattern-index.ts'
import { principalPatterns, textsOfPrincipal } from './principal-patterns.ts'

/** A grant, ready to be matched. */
export interface CompiledGrant {
  readonly name: string
  /** Its position among all grants of the file. */
  readonly position: number
  readonly issuer: string
  readonly database: string
  readonly users: readonly string[]
  readonly session: 'shared' | 'per-principal'
  /** When it is in force; undefined if it always is. */
  readonly period: Period | undefined
  /** Whether it names its subjects without a wildcard: then nobody else can have others that meet it. */
  readonly namesSubjects: boolean
  /** Its conditions on the principal, except for `issuer`. */
  readonly principal: PrincipalMatcher
}

/** Grants that mean the same principals, in the order of the file: a principal meets all of them, or none. */
export interface GrantGroup {
  readonly issuer: string
  readonly spec: PrincipalSpec
  readonly principal: PrincipalMatcher
  readonly grants: readonly CompiledGrant[]
}

/** All grants of a configuration, in the order of the file. Immutable: a reload compiles new ones. */
export interface CompiledGrants {
  readonly all: readonly CompiledGrant[]
  /** Returns the grants for principals of this issuer. */
  forIssuer(issuer: string): readonly CompiledGrant[]
  /** Returns those among them that are for this database. */
  forDatabase(issuer: string, database: string): readonly CompiledGrant[]
  /**
   * Returns the groups of its issuer that a principal may meet, in no order: all that it does meet, and others. How long this
   * takes depends on its own claims and on the grants that name one of their values, not on how many grants there are.
   */
  candidatesFor(principal: Principal): readonly GrantGroup[]
  /** Returns the claims that the issuer's grants name, which records show. */
  auditedClaims(issuer: string): AuditedClaims
}

interface IssuerGrants {
  readonly all: readonly CompiledGrant[]
  readonly byDatabase: ReadonlyMap<string, readonly CompiledGrant[]>
  readonly groups: PatternIndex<GrantGroup>
  readonly auditedClaims: AuditedClaims
}

/**
 * Compiles grants once, so that a request looks only at those of its issuer that may be for its principal. Does not judge them:
 * what is open to everybody, or can never hold, is reported by `findScopeProblem`.
 */
export function compileGrants(specs: readonly GrantSpec[]): CompiledGrants {
  const positioned = specs.map((spec, position) => ({ spec, position }))
  const sameText = groupBy(positioned, ({ spec }) => JSON.stringify(spec.principal))
  const groups = [...sameText.values()].flatMap(compileGroup)
  const all = inOrderOfFile(groups)
  const grantsByIssuer = groupBy(all, ({ issuer }) => issuer)
  const byIssuer = new Map<string, IssuerGrants>()
  for (const [issuer, ofIssuer] of groupBy(groups, group => group.issuer)) {
    const grants = grantsByIssuer.get(issuer) ?? []
    byIssuer.set(issuer, {
      all: grants,
      byDatabase: groupBy(grants, grant => grant.database),
      groups: indexByPattern(ofIssuer, ({ spec }) => principalPatterns(spec)),
      auditedClaims: collectAuditedClaims(ofIssuer.map(({ spec }) => spec.claims)),
    })
  }
  const noClaims = collectAuditedClaims([])
  return {
    all,
    forIssuer: issuer => byIssuer.get(issuer)?.all ?? [],
    forDatabase: (issuer, database) => byIssuer.get(issuer)?.byDatabase.get(database) ?? [],
    candidatesFor: principal =>
      byIssuer.get(principal.issuer)?.groups.candidates(path => textsOfPrincipal(principal, path)) ?? [],
    auditedClaims: issuer => byIssuer.get(issuer)?.auditedClaims ?? noClaims,
  }
}

/** Returns the grants of several groups as one list. */
export function inOrderOfFile(groups: readonly GrantGroup[]): readonly CompiledGrant[] {
  const [only, another] = groups
  if (only && !another) return only.grants
  return groups.flatMap(({ grants }) => grants).sort((one, other) => one.position - other.position)
}

interface PositionedSpec {
  readonly spec: GrantSpec
  readonly position: number
}

function compileGroup(members: readonly PositionedSpec[]): GrantGroup[] {
  const [first] = members
  if (!first) return []
  const spec = first.spec.principal
  const { issuer, subject } = spec
  const principal = compilePrincipal(spec)
  const namesSubjects =
    subject !== undefined && alternatives(subject).every(text => !String(text).includes('*'))
  const grants = members.map(({ spec: grant, position }) => {
    const { name, database, users, session = 'shared' } = grant
    const period = periodOf(grant)
    return { name, position, issuer, database, users, session, period, namesSubjects, principal }
  })
  return [{ issuer, spec, principal, grants }]
}
