import type { Principal } from '../authentication/principal.ts'
import { distinct, getOrCreate } from '../lib/maps.ts'
import { type CompiledGrant, type CompiledGrants, inOrderOfFile } from './compiled-grants.ts'
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
 * Returns the grants that a principal meets, whatever for and in force or not, in the order of the file. All that is decided for a principal rests
 * on them, so that how long a decision takes does not depend on what is granted to others for what it asks for.
 */
export function grantsOf(grants: CompiledGrants, principal: Principal): readonly CompiledGrant[] {
  const candidates = grants.candidatesFor(principal)
  return inOrderOfFile(candidates.filter(group => group.principal.matches(principal)))
}

/**
 * Decides whether a principal that meets these grants, all of them in force, may have what it requests. If several allow it, the first in the file
 * wins. A database that does not exist is denied in the same way, and as quickly, as one that is not granted.
 */
export function decide(own: readonly CompiledGrant[], { database, user }: AccessRequest): Decision {
  const candidates = own.filter(grant => grant.database === database)
  if (user !== undefined) {
    const grant = candidates.find(({ users }) => users.includes(user))
    return grant ? { kind: 'granted', grant, user } : { kind: 'denied' }
  }
  const users = distinct(candidates.flatMap(grant => grant.users))
  const [firstUser] = users
  if (firstUser === undefined) return { kind: 'denied' }
  const grant = candidates.find(candidate => candidate.users.includes(firstUser))
  return users.length === 1 && grant
    ? { kind: 'granted', grant, user: firstUser }
    : { kind: 'user-required', users }
}

/** Returns every database and user that these grants are for, in the order of the file, none twice. */
export function entitlements(own: readonly CompiledGrant[]): Entitlement[] {
  const usersByDatabase = new Map<string, Set<string>>()
  for (const grant of own) {
    const users = getOrCreate(usersByDatabase, { key: grant.database, create: () => new Set<string>() })
    for (const user of grant.users) users.add(user)
  }
  return [...usersByDatabase].map(([database, users]) => ({ database, users: [...users] }))
}
