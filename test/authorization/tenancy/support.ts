import type { ClaimSpec, GrantSpec, PrincipalSpec, Scalar } from '../../../src/authorization/grant.ts'
import { findScopeProblem } from '../../../src/authorization/grant-scope.ts'
import {
  type OwnerRules,
  ownerClaimNames,
  ownerShapes,
} from '../../../src/authorization/tenancy/shared-oidc-provider.ts'
import {
  type DeclaredIssuer,
  determineTenancy,
  type Tenancy,
} from '../../../src/authorization/tenancy/tenancy.ts'

export type Conditions = Omit<PrincipalSpec, 'issuer'>

/** Returns what becomes of an issuer, without pinned keys unless they are declared. */
export const determine = (issuer: string, declared: Partial<DeclaredIssuer> = {}) =>
  determineTenancy({ issuer, hasPinnedKeys: false, ...declared })

/** Returns the tenancy of an issuer. Throws if it has a problem. */
export function tenancyOf(issuer: string, declared: Partial<DeclaredIssuer> = {}): Tenancy {
  const tenancy = determine(issuer, declared)
  if (tenancy.kind === 'problem') throw new Error(`${tenancy.key} ${tenancy.message}`)
  return tenancy
}

export const grantWith = (conditions: Conditions): GrantSpec => ({
  name: 'g',
  principal: { issuer: 'it', ...conditions },
  database: 'orders',
  users: ['app'],
})

export const problemWith = (tenancy: Tenancy, conditions: Conditions) =>
  findScopeProblem(grantWith(conditions), tenancy)

/** Returns a claim as it is nested in a JWT: `a.b` unless it is a name with a `/`, which is flat. */
export function nested<T>(claim: string, value: T): Record<string, unknown> {
  const path = claim.includes('/') ? [claim] : claim.split('.')
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Record<string, unknown>
}

/** Returns the claims of a grant with these conditions, all of them named by path. */
export function claimsOf(wanted: Readonly<Record<string, Scalar | readonly Scalar[]>>): ClaimSpec {
  return Object.entries(wanted).reduce<ClaimSpec>(
    (claims, [claim, value]) => merge(claims, nested(claim, value) as ClaimSpec),
    {},
  )
}

function merge(one: ClaimSpec, other: ClaimSpec): ClaimSpec {
  const merged: Record<string, ClaimSpec[string]> = { ...one }
  for (const [name, value] of Object.entries(other)) {
    const before = merged[name]
    merged[name] = isClaims(before) && isClaims(value) ? merge(before, value) : value
  }
  return merged
}

const isClaims = (value: unknown): value is ClaimSpec =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a claim needs beside it to pin, so that a grant can have it. */
export function neededBeside({ requirements = {} }: OwnerRules, claim: string): Record<string, string> {
  return Object.fromEntries(
    (requirements[claim] ?? []).map(({ claim: beside, value = 'https://connector.example' }) => [
      beside,
      value,
    ]),
  )
}

/** Every claim that pins, with each of its shapes. */
export function pinsOf(rules: OwnerRules): { claim: string; shape: string }[] {
  return ownerClaimNames(rules).flatMap(claim => ownerShapes(rules, claim).map(shape => ({ claim, shape })))
}
