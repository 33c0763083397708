import { findDocumentUrlProblem, findSiteProblem } from './document-url.ts'
import { findEntraProblem } from './entra.ts'
import { declaredRules, findOwnerProblem, narrowedRules } from './owner-rules.ts'
import { findNearForm, findPrivateForm, isLocalIssuer } from './private-issuers.ts'
import { type OwnerRules, ownerClaimNames, type SharedOidcProvider } from './shared-oidc-provider.ts'
import { findSharedProvider, isOnSharedHost } from './shared-oidc-providers.ts'

/** What the configuration says of an issuer. */
export interface DeclaredIssuer {
  /** The exact `iss`. */
  readonly issuer: string
  readonly tenancy?: 'private' | 'shared' | undefined
  /** The claims that pin an owner. */
  readonly owner?: readonly string[] | undefined
  readonly hasPinnedKeys: boolean
}

/** Whether strangers can get JWTs from an issuer, and if so, how grants tell theirs from the owner's. */
export type Tenancy = { readonly kind: 'private' } | { readonly kind: 'shared'; readonly rules: OwnerRules }

/** Why a tenancy cannot be told, or cannot be as it is declared. The message reads on after the key. */
export interface TenancyProblem {
  readonly kind: 'problem'
  readonly key: 'issuer' | 'tenancy' | 'owner'
  readonly message: string
}

const PRIVATE: Tenancy = { kind: 'private' }

const DANGER =
  'is required: jeton does not know this issuer, and if strangers can get JWTs from it, they pass every grant that names only what anybody can have, such as a branch.'
const DECLARE =
  'write `tenancy: private` if it gives JWTs to your own organization alone; otherwise write `tenancy: shared`, and as `owner` the claims that tell your JWTs from those of strangers, such as `owner: [organization_id]`.'

const OWNER_REQUIRED =
  'is required if the tenancy is shared and jeton does not know the issuer: list the claims that tell your JWTs from those of strangers, such as `owner: [organization_id]`; each grant must then spell out one of them'

/**
 * Returns whether strangers can get JWTs from an issuer: what jeton knows of it counts first, then what is declared. An
 * unknown issuer with pinned keys is private, because whoever pinned them had them from its operator. Does not know whether
 * the tenant that a private issuer names is the right one, nor who may become a user of it.
 */
export function determineTenancy(declared: DeclaredIssuer): Tenancy | TenancyProblem {
  const { issuer, tenancy, owner } = declared
  const issuerProblem = findDocumentUrlProblem(issuer) ?? findEntraProblem(issuer) ?? findSiteProblem(issuer)
  if (issuerProblem !== undefined) return problem('issuer', issuerProblem)
  const provider = findSharedProvider(issuer)
  if (provider) return knownTenancy(provider, declared)
  if (tenancy === 'shared') return declaredTenancy(owner)
  if (owner !== undefined) return problem('owner', 'is only allowed with `tenancy: shared`')
  return tenancy === 'private' || isKnownPrivate(declared)
    ? PRIVATE
    : problem('tenancy', unknownIssuer(issuer))
}

function isKnownPrivate({ issuer, hasPinnedKeys }: DeclaredIssuer): boolean {
  if (isLocalIssuer(issuer) || findPrivateForm(issuer)) return true
  return hasPinnedKeys && !isOnSharedHost(issuer)
}

/** Its second sentence says what to write: the right spelling before all else, because with any other no JWT is accepted. */
function unknownIssuer(issuer: string): string {
  const near = findNearForm(issuer)
  if (!near) return `${DANGER} So ${DECLARE}`
  const { form, iss } = near
  return `${DANGER} JWTs of ${form.name} have \`${iss}\`, to the letter: write that as \`issuer\` if you mean it; if not, ${DECLARE}`
}

function declaredTenancy(owner: readonly string[] | undefined): Tenancy | TenancyProblem {
  if (owner === undefined) return problem('owner', OWNER_REQUIRED)
  const ownerProblem = findOwnerProblem(owner, undefined)
  return ownerProblem === undefined
    ? { kind: 'shared', rules: declaredRules(owner) }
    : problem('owner', ownerProblem)
}

function knownTenancy(
  provider: SharedOidcProvider,
  { tenancy, owner }: DeclaredIssuer,
): Tenancy | TenancyProblem {
  const { name } = provider
  if (tenancy === 'private')
    return problem(
      'tenancy',
      `cannot be private, because the whole world can get a JWT from ${name}: leave it out, and pin an owner in each grant`,
    )
  const isUncharted = ownerClaimNames(provider).length === 0
  if (owner === undefined)
    return isUncharted
      ? problem('owner', `${OWNER_REQUIRED} (the whole world can get a JWT from ${name})`)
      : { kind: 'shared', rules: provider }
  const ownerProblem = findOwnerProblem(owner, provider)
  if (ownerProblem !== undefined) return problem('owner', ownerProblem)
  const { misleadingClaims = {} } = provider
  return {
    kind: 'shared',
    rules: isUncharted ? { ...declaredRules(owner, name), misleadingClaims } : narrowedRules(provider, owner),
  }
}

function problem(key: TenancyProblem['key'], message: string): TenancyProblem {
  return { kind: 'problem', key, message }
}
