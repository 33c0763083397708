import type { Principal } from '../authentication/principal.ts'
import type { CompiledGrant, CompiledGrants } from '../authorization/compiled-grants.ts'
import { type Decision, decide, type Entitlement, entitlements } from '../authorization/decide.ts'
import { nearestReason } from '../authorization/explain.ts'
import type { AccessRequest } from '../authorization/grant.ts'
import type { Database } from '../rds/database.ts'
import { type TokenKey, tokenKey } from '../tokens/token-key.ts'

/** What a request that is granted leads to. */
export interface GrantedAccess {
  readonly kind: 'granted'
  readonly grant: CompiledGrant
  readonly user: string
  readonly key: TokenKey
}

/** Most principals ask for one thing or two; what is remembered of one is to stay small. */
const MOST_REMEMBERED = 8

/** Where one principal stands under one set of rules. */
export interface PrincipalAccess {
  /** The principal as records tell of it: of its claims, those that its issuer's grants name. The same object each time. */
  readonly auditedPrincipal: Principal
  /** What is granted is remembered: CI jobs ask for the same thing again and again. */
  decide(ask: AccessRequest): GrantedAccess | Exclude<Decision, { kind: 'granted' }>
  /** Why an ask was denied, in a line for operators. */
  reason(ask: AccessRequest): string
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
  const granted = new Map<string, GrantedAccess>()

  function keyOf({ session, database: name }: CompiledGrant, user: string): TokenKey {
    const owner = session === 'per-principal' ? principal : undefined
    return tokenKey({ database: database(name), user, principal: owner })
  }

  return {
    auditedPrincipal: { issuer, subject, claims: grants.auditedClaims(issuer).pick(principal) },
    decide(ask) {
      // neither name can hold a line break where it is granted
      const asked = `${ask.database}\n${ask.user ?? ''}`
      const known = granted.get(asked)
      if (known) return known
      const decision = decide(grants, principal, ask)
      if (decision.kind !== 'granted') return decision
      const { grant, user } = decision
      const found: GrantedAccess = { kind: 'granted', grant, user, key: keyOf(grant, user) }
      if (granted.size < MOST_REMEMBERED) granted.set(asked, found)
      return found
    },
    reason: ask => nearestReason(grants, principal, ask),
    entitlements: () => entitlements(grants, principal),
  }
}
