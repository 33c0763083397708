import { type ClaimCondition, claimConditions } from '../../authorization/claim-condition.ts'
import type { GrantSpec } from '../../authorization/grant.ts'
import { findScopeDoubt } from '../../authorization/grant-scope.ts'
import { ownerPins } from '../../authorization/tenancy/owner-pin.ts'
import type { PrivateIssuerForm } from '../../authorization/tenancy/private-issuers.ts'
import type { OwnerRules } from '../../authorization/tenancy/shared-oidc-provider.ts'
import type { Tenancy } from '../../authorization/tenancy/tenancy.ts'

const GITHUB = 'GitHub Actions'
/** GitHub's `sub` with the ids of the owner and the repository. */
const IMMUTABLE_SUB = /^repo:[^/@*]+@\d+\//

/**
 * Returns why the owner whom a grant pins may become somebody else; undefined if it pins an id, or has nothing to pin. `form` is
 * that of an issuer which names its tenant.
 */
export function findOwnerDoubt(
  grant: GrantSpec,
  { tenancy, form }: { tenancy: Tenancy | undefined; form: PrivateIssuerForm | undefined },
): string | undefined {
  const conditions = claimConditions(grant.principal)
  if (tenancy?.kind === 'shared')
    return findScopeDoubt(grant, tenancy) ?? findNameDoubt(tenancy.rules, conditions)
  return form && findTenantDoubt(form, conditions)
}

function findNameDoubt(rules: OwnerRules, conditions: readonly ClaimCondition[]): string | undefined {
  const ids = Object.keys(rules.ownerIds).filter(claim => claim !== 'sub')
  const pins = ownerPins(rules, conditions)
  const isPinnedById = ownerPins({ ...rules, ownerNames: {} }, conditions).length > 0
  if (ids.length === 0 || pins.length === 0 || isPinnedById || pins.some(isImmutable)) return undefined
  const names = [...new Set(pins.map(({ claim }) => claim))].join(' and ')
  const isOlder = rules.name === GITHUB && pins.every(({ claim }) => claim === 'sub')
  const olderText = isOlder
    ? '; and new, renamed and transferred repositories have ids in `sub` since 15 July 2026, `repo:OWNER@ID/REPO@ID:…`, which this does not match'
    : ''
  return `pins the owner by name alone (${names}), and whoever takes a name that has become free gets tokens: ${ids.join(' or ')} would pin for good${olderText}`
}

function isImmutable({ claim, wanted }: ClaimCondition): boolean {
  return claim === 'sub' && wanted.every(value => IMMUTABLE_SUB.test(String(value)))
}

function findTenantDoubt(
  { idClaim, name }: PrivateIssuerForm,
  conditions: readonly ClaimCondition[],
): string | undefined {
  if (idClaim === undefined) return undefined
  const isPinned = conditions.some(
    ({ claim, wanted }) => claim === idClaim && wanted.every(value => !String(value).includes('*')),
  )
  if (isPinned) return undefined
  return `the issuer names its tenant by a name, and whoever takes that name once it is free gets tokens: add the claim ${idClaim}, which is in JWTs of ${name}`
}
