import type { Principal } from '../authentication/principal.ts'
import { distinct, getOrCreate } from '../lib/maps.ts'
import type { CompiledGrant, CompiledGrants } from './compiled-grants.ts'
import type { AccessRequest } from './grant.ts'

export type Decision =
  | { readonly kind: 'granted'; readonly grant: CompiledGrant; readonly user: string }
  /** The request names no user and several are granted: these. */
  | { readonly kind: 'user-required'; readonly users: readonly string[] }
  /** `nearestReason` says why, for operators alone. */
  | { readonly kind: 'denied' }

/** A database that a principal may have tokens for, and for which of its users. */
export interface Entitlement {
  readonly database: string
  readonly users: readonly string[]
}

/**
 * Decides whether a principal may have what it requests. If several grants allow it, the first in the file wins. A database
 * that does not exist is denied in the same way as one that is not granted.
 */
export function decide(
  grants: CompiledGrants,
  { principal, request: { database, user } }: { principal: Principal; request: AccessRequest },
): Decision {
  const candidates = grants.forDatabase(principal.issuer, database)
  if (user !== undefined) {
    const grant = candidates.find(
      candidate => candidate.users.includes(user) && candidate.principal.matches(principal),
    )
    return grant ? { kind: 'granted', grant, user } : { kind: 'denied' }
  }
  const matching = candidates.filter(grant => grant.principal.matches(principal))
  const users = distinct(matching.flatMap(grant => grant.users))
  const [firstUser] = users
  if (firstUser === undefined) return { kind: 'denied' }
  const grant = matching.find(candidate => candidate.users.includes(firstUser))
  return users.length === 1 && grant
    ? { kind: 'granted', grant, user: firstUser }
    : { kind: 'user-required', users }
}

/** Returns every database and user that the principal may have tokens for, in the order of the file, none twice. */
export function entitlements(grants: CompiledGrants, principal: Principal): Entitlement[] {
  const usersByDatabase = new Map<string, Set<string>>()
  for (const grant of grants.forIssuer(principal.issuer)) {
    if (!grant.principal.matches(principal)) continue
    const users = getOrCreate(usersByDatabase, { key: grant.database, create: () => new Set<string>() })
    for (const user of grant.users) users.add(user)
  }
  return [...usersByDatabase].map(([database, users]) => ({ database, users: [...users] }))
}
