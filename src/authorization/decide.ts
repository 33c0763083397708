import type { Principal } from '../authentication/principal.ts'
import type { CompiledGrant, CompiledGrants } from './compiled-grants.ts'
import type { AccessRequest } from './grant.ts'

export type Decision =
  | { readonly kind: 'granted'; readonly grant: CompiledGrant; readonly user: string }
  /** No user was named and several are granted: these. */
  | { readonly kind: 'user-required'; readonly users: readonly string[] }
  /** Why is for `nearestReason`, and for operators alone. */
  | { readonly kind: 'denied' }

/** One database that a principal may have tokens for, and as whom. */
export interface Entitlement {
  readonly database: string
  readonly users: readonly string[]
}

/**
 * Decides whether a principal may have what it asks for. Of several grants that allow it, the first in the file wins.
 * A database that does not exist and one that is not granted are denied alike.
 */
export function decide(
  grants: CompiledGrants,
  principal: Principal,
  { database, user }: AccessRequest,
): Decision {
  const candidates = grants.on(principal.issuer, database)
  if (user !== undefined) {
    const grant = candidates.find(
      ({ users, principal: check }) => users.includes(user) && check.holds(principal),
    )
    return grant ? { kind: 'granted', grant, user } : { kind: 'denied' }
  }
  const matching = candidates.filter(grant => grant.principal.holds(principal))
  const users = [...new Set(matching.flatMap(grant => grant.users))]
  const [only] = users
  if (only === undefined) return { kind: 'denied' }
  const grant = matching.find(candidate => candidate.users.includes(only))
  return users.length === 1 && grant
    ? { kind: 'granted', grant, user: only }
    : { kind: 'user-required', users }
}

/** Gives every database and user that this principal may have tokens for, in the order of the file, none twice. */
export function entitlements(grants: CompiledGrants, principal: Principal): Entitlement[] {
  const granted = new Map<string, Set<string>>()
  for (const { database, users, principal: check } of grants.of(principal.issuer)) {
    if (!check.holds(principal)) continue
    const known = granted.get(database) ?? new Set()
    for (const user of users) known.add(user)
    granted.set(database, known)
  }
  return [...granted].map(([database, users]) => ({ database, users: [...users] }))
}
