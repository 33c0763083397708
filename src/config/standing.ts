import type { Database } from '../databases/database.ts'
import type { CompiledGrant, Grants } from '../grants/compile.ts'
import { type Decision, decide, type Entitlement, entitlements } from '../grants/decide.ts'
import { nearestReason } from '../grants/explain.ts'
import type { Ask } from '../grants/grant.ts'
import type { Principal } from '../principals/principal.ts'
import { type TokenKey, tokenKey } from '../tokens/key.ts'

/** What a request that is granted leads to. */
export interface Granted {
  readonly kind: 'granted'
  readonly grant: CompiledGrant
  readonly user: string
  readonly key: TokenKey
}

/** Most principals ask for one thing or two; what is remembered of one is to stay small. */
const MOST_REMEMBERED = 8

/** Where one principal stands under one set of rules. */
export interface Standing {
  /** The principal as records tell of it: of its claims, those that its issuer's grants name. The same object each time. */
  readonly recorded: Principal
  /** What is granted is remembered: CI jobs ask for the same thing again and again. */
  decide(ask: Ask): Granted | Exclude<Decision, { kind: 'granted' }>
  /** Why an ask was denied, in a line for operators. */
  reason(ask: Ask): string
  entitlements(): Entitlement[]
}

export interface StandingParts {
  grants: Grants
  database(name: string): Database
}

export function createStanding(principal: Principal, { grants, database }: StandingParts): Standing {
  const { issuer, subject } = principal
  const granted = new Map<string, Granted>()

  function keyOf({ session, database: name }: CompiledGrant, user: string): TokenKey {
    const owner = session === 'per-principal' ? principal : undefined
    return tokenKey({ database: database(name), user, principal: owner })
  }

  return {
    recorded: { issuer, subject, claims: grants.namedClaims(issuer).pick(principal) },
    decide(ask) {
      // neither name can hold a line break where it is granted
      const asked = `${ask.database}\n${ask.user ?? ''}`
      const known = granted.get(asked)
      if (known) return known
      const decision = decide(grants, principal, ask)
      if (decision.kind !== 'granted') return decision
      const { grant, user } = decision
      const found: Granted = { kind: 'granted', grant, user, key: keyOf(grant, user) }
      if (granted.size < MOST_REMEMBERED) granted.set(asked, found)
      return found
    },
    reason: ask => nearestReason(grants, principal, ask),
    entitlements: () => entitlements(grants, principal),
  }
}
