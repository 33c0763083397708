import {
  EMAIL_RULES,
  type OwnerClaims,
  type OwnerRules,
  ownerClaimNames,
  type SharedOidcProvider,
  WHOLE,
} from './shared-oidc-provider.ts'

const DIFFERS = 'each JWT has another'
const CHOSEN = 'anybody can have the same'
const NICKNAME = 'whoever has an account chooses it'
const SAME = 'every JWT that jeton accepts from the issuer has the same'

/** Claims of any issuer that never tell one owner from another: those of OpenID Connect, and those of every job. */
const NEVER_PINS: { readonly [claim: string]: string } = {
  iss: SAME,
  aud: SAME,
  exp: DIFFERS,
  iat: DIFFERS,
  nbf: DIFFERS,
  jti: DIFFERS,
  auth_time: DIFFERS,
  nonce: DIFFERS,
  sid: DIFFERS,
  name: NICKNAME,
  given_name: NICKNAME,
  family_name: NICKNAME,
  nickname: NICKNAME,
  typ: CHOSEN,
  scope: CHOSEN,
  scp: CHOSEN,
  acr: CHOSEN,
  amr: CHOSEN,
  ref: CHOSEN,
  ref_type: CHOSEN,
  ref_path: CHOSEN,
  ref_protected: CHOSEN,
  base_ref: CHOSEN,
  head_ref: CHOSEN,
  branch: CHOSEN,
  environment: CHOSEN,
  event_name: CHOSEN,
  workflow: CHOSEN,
  pipeline_source: CHOSEN,
  job_workflow_ref: 'it names the called workflow, and anyone may call a public one',
  email_verified: 'it says nothing about whose address it is',
}

/** Returns the rules for claims that the configuration names as owners', each of which must be spelled out as a whole. */
export function declaredRules(owner: readonly string[], name = 'this issuer'): OwnerRules {
  const [first = 'sub'] = owner
  return {
    name,
    ownerIds: Object.fromEntries(owner.map(claim => [claim, WHOLE])),
    ...EMAIL_RULES,
    doubtfulClaims: {
      ...EMAIL_RULES.doubtfulClaims,
      preferred_username: 'it is a name that can change hands, and need not be that of one account alone',
    },
    example: `${first}: …`,
  }
}

/** Returns the rules of a provider without the claims that the configuration does not name. */
export function narrowedRules(provider: SharedOidcProvider, owner: readonly string[]): OwnerRules {
  const narrow = (claims: OwnerClaims = {}) =>
    Object.fromEntries(Object.entries(claims).filter(([claim]) => owner.includes(claim)))
  const ownerIds = narrow(provider.ownerIds)
  const ownerNames = narrow(provider.ownerNames)
  const [first = 'sub'] = owner
  const isExample = owner.some(claim => provider.example.startsWith(`${claim}: `))
  return { ...provider, ownerIds, ownerNames, example: isExample ? provider.example : `${first}: …` }
}

/** Returns what is wrong with claims that are named as owners' of JWTs of a provider, or of an issuer that jeton does not know. */
export function findOwnerProblem(
  owner: readonly string[],
  provider: SharedOidcProvider | undefined,
): string | undefined {
  const known = provider ? ownerClaimNames(provider) : []
  for (const claim of owner) {
    const misleading = provider?.misleadingClaims ?? {}
    if (known.includes(claim)) continue
    const why = [misleading, NEVER_PINS].find(claims => Object.hasOwn(claims, claim))?.[claim]
    if (why !== undefined) return `has ${claim}, which does not pin an owner: ${why}`
    if (provider && known.length > 0)
      return `has ${claim}, which jeton does not know to pin an owner at ${provider.name}: these do: ${known.join(', ')}`
  }
  return undefined
}
