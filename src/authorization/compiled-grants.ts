import { groupBy } from '../lib/maps.ts'
import { type AuditedClaims, collectAuditedClaims } from './audited-claims.ts'
import { compilePrincipal, type PrincipalMatcher } from './claim-matcher.ts'
import { alternatives, type GrantSpec } from './grant.ts'

/** A grant, ready to be matched. */
export interface CompiledGrant {
  readonly name: string
  readonly issuer: string
  readonly database: string
  readonly users: readonly string[]
  readonly session: 'shared' | 'per-principal'
  /** Whether it names its subjects without a wildcard: then nobody else can have others that meet it. */
  readonly namesSubjects: boolean
  /** Its conditions on the principal, except for `issuer`. */
  readonly principal: PrincipalMatcher
}

/** All grants of a configuration, in the order of the file. Immutable: a reload compiles new ones. */
export interface CompiledGrants {
  readonly all: readonly CompiledGrant[]
  /** Returns the grants for principals of this issuer. */
  forIssuer(issuer: string): readonly CompiledGrant[]
  /** Returns those among them that are for this database. */
  forDatabase(issuer: string, database: string): readonly CompiledGrant[]
  /** Returns the claims that the issuer's grants name, which records show. */
  auditedClaims(issuer: string): AuditedClaims
}

interface IssuerGrants {
  readonly all: readonly CompiledGrant[]
  readonly byDatabase: ReadonlyMap<string, readonly CompiledGrant[]>
  readonly auditedClaims: AuditedClaims
}

/**
 * Compiles grants once, so that a request looks only at those of its issuer and database. Does not judge them: what is open
 * to everybody, or can never hold, is reported by `findScopeProblem`.
 */
export function compileGrants(specs: readonly GrantSpec[]): CompiledGrants {
  const all = specs.map(compileGrant)
  const specsByIssuer = groupBy(specs, spec => spec.principal.issuer)
  const byIssuer = new Map<string, IssuerGrants>()
  for (const [issuer, grants] of groupBy(all, grant => grant.issuer))
    byIssuer.set(issuer, {
      all: grants,
      byDatabase: groupBy(grants, grant => grant.database),
      auditedClaims: collectAuditedClaims(
        specsByIssuer.get(issuer)?.map(spec => spec.principal.claims) ?? [],
      ),
    })
  const noClaims = collectAuditedClaims([])
  return {
    all,
    forIssuer: issuer => byIssuer.get(issuer)?.all ?? [],
    forDatabase: (issuer, database) => byIssuer.get(issuer)?.byDatabase.get(database) ?? [],
    auditedClaims: issuer => byIssuer.get(issuer)?.auditedClaims ?? noClaims,
  }
}

function compileGrant({ name, principal, database, users, session = 'shared' }: GrantSpec): CompiledGrant {
  const { issuer, subject } = principal
  const namesSubjects =
    subject !== undefined && alternatives(subject).every(text => !String(text).includes('*'))
  return { name, issuer, database, users, session, namesSubjects, principal: compilePrincipal(principal) }
}
