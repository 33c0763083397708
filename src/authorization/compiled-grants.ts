import { type AuditedClaims, collectAuditedClaims } from './audited-claims.ts'
import { compilePrincipal, type PrincipalCheck } from './claim-matcher.ts'
import type { GrantSpec } from './grant.ts'

/** A grant ready to be asked. */
export interface CompiledGrant {
  readonly name: string
  readonly issuer: string
  readonly database: string
  readonly users: readonly string[]
  readonly session: 'shared' | 'per-principal'
  /** Its conditions on the principal; `issuer` is one more. */
  readonly principal: PrincipalCheck
}

/** All grants of a configuration, in the order of the file. Immutable: a new configuration is compiled anew. */
export interface CompiledGrants {
  readonly all: readonly CompiledGrant[]
  /** Those for principals of this issuer. */
  of(issuer: string): readonly CompiledGrant[]
  /** Those among them for this database. */
  on(issuer: string, database: string): readonly CompiledGrant[]
  /** Which claims they name, and how to pick them for the record. */
  auditedClaims(issuer: string): AuditedClaims
}

interface IssuerGrants {
  readonly all: readonly CompiledGrant[]
  readonly byDatabase: ReadonlyMap<string, readonly CompiledGrant[]>
  readonly named: AuditedClaims
}

/**
 * Compiles grants once, so that a request looks only at those of its issuer and database. Does not judge them: what is
 * open to everybody or can never hold is reported by `openGrantProblem`.
 */
export function compileGrants(specs: readonly GrantSpec[]): CompiledGrants {
  const all = specs.map(compileGrant)
  const claims = groupBy(specs, spec => spec.principal.issuer)
  const byIssuer = new Map<string, IssuerGrants>()
  for (const [issuer, grants] of groupBy(all, grant => grant.issuer))
    byIssuer.set(issuer, {
      all: grants,
      byDatabase: groupBy(grants, grant => grant.database),
      named: collectAuditedClaims((claims.get(issuer) ?? []).map(spec => spec.principal.claims)),
    })
  const none = collectAuditedClaims([])
  return {
    all,
    of: issuer => byIssuer.get(issuer)?.all ?? [],
    on: (issuer, database) => byIssuer.get(issuer)?.byDatabase.get(database) ?? [],
    auditedClaims: issuer => byIssuer.get(issuer)?.named ?? none,
  }
}

function compileGrant({ name, principal, database, users, session = 'shared' }: GrantSpec): CompiledGrant {
  const check = compilePrincipal(principal)
  return { name, issuer: principal.issuer, database, users, session, principal: check }
}

/** `Map.groupBy`, which Node 20 lacks. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
