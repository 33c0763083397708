import type { Principal } from '../authentication/principal.ts'
import type { CompiledGrant, CompiledGrants } from '../authorization/compiled-grants.ts'
import { type Decision, decide, type Entitlement, entitlements } from '../authorization/decide.ts'
import { nearestReason } from '../authorization/explain.ts'
import type { AccessRequest } from '../authorization/grant.ts'
import type { Database } from '../rds/database.ts'
import { type TokenKey, tokenKey } from '../tokens/token-key.ts'

/** What a granted request leads to. */
export interface GrantedAccess {
  readonly kind: 'granted'
  readonly grant: CompiledGrant
  readonly user: string
  readonly key: TokenKey
}

/** Most principals request one thing or two, and what is kept for each of them must stay small. */
const MAX_CACHED_DECISIONS = 8

/** What one principal may have under one access policy. */
export interface PrincipalAccess {
  /** The principal as records show it: of its claims, those that its issuer's grants name. Always the same object. */
  readonly auditedPrincipal: Principal
  /** Decides a request. What is granted is cached, since CI jobs request the same again and again; a denial is not. */
  decide(request: AccessRequest): GrantedAccess | Exclude<Decision, { kind: 'granted' }>
  /** Returns why a request was denied, in one line for operators. */
  reason(request: AccessRequest): string
  entitlements(): Entitlement[]
}

export interface PrincipalAccessParts {
  grants: CompiledGrants
  database(name: string): Database
}

export function createPrincipalAccess(
  principal: Principal,
  { grants, database }: PrincipalAccessParts,
): PrincipalAccess {
  const { issuer, subject } = principal
  const grantedByRequest = new Map<string, GrantedAccess>()

  function keyOf({ session, database: name }: CompiledGrant, user: string): TokenKey {
    const owner = session === 'per-principal' ? principal : undefined
    return tokenKey({ database: database(name), user, principal: owner })
  }

  return {
    auditedPrincipal: { issuer, subject, claims: grants.auditedClaims(issuer).pick(principal) },
    decide(request) {
      // no name that is granted has a line break in it
      const id = `${request.database}\n${request.user ?? ''}`
      const cached = grantedByRequest.get(id)
      if (cached) return cached
      const decision = decide(grants, principal, request)
      if (decision.kind !== 'granted') return decision
      const { grant, user } = decision
      const access: GrantedAccess = { kind: 'granted', grant, user, key: keyOf(grant, user) }
      if (grantedByRequest.size < MAX_CACHED_DECISIONS) grantedByRequest.set(id, access)
      return access
    },
    reason: request => nearestReason(grants, principal, request),
    entitlements: () => entitlements(grants, principal),
  }
}
