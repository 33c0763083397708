import { type ClaimCondition, claimConditions } from './claim-condition.ts'
import type { GrantSpec, PrincipalSpec } from './grant.ts'
import { compileWildcard } from './wildcard.ts'

/**
 * Whether the first of two grants allows all that the second does, so that the second never counts. False if that cannot be
 * told, as of two different patterns.
 */
export function coversGrant(first: GrantSpec, second: GrantSpec): boolean {
  return (
    first.database === second.database &&
    first.principal.issuer === second.principal.issuer &&
    second.users.every(user => first.users.includes(user)) &&
    coversPrincipals(first.principal, second.principal)
  )
}

function coversPrincipals(first: PrincipalSpec, second: PrincipalSpec): boolean {
  const conditions = claimConditions(second)
  return claimConditions(first).every(wider =>
    conditions.some(narrower => narrower.claim === wider.claim && coversValues(wider, narrower)),
  )
}

function coversValues({ wanted: wider }: ClaimCondition, { wanted: narrower }: ClaimCondition): boolean {
  return narrower.every(value => wider.some(pattern => coversValue(String(pattern), String(value))))
}

function coversValue(pattern: string, value: string): boolean {
  return pattern === value || pattern === '**' || (!value.includes('*') && compileWildcard(pattern)(value))
}

/**
 * Returns a claim of which a grant wants two things at once that no JWT has both of, undefined if there is none: `sub` in
 * `subject` and in `claims`, or another `iss` than that of its issuer.
 */
export function findContradiction(
  principal: PrincipalSpec,
  issuer: string | undefined,
): { readonly claim: 'sub' | 'iss' } | undefined {
  const conditions = claimConditions(principal)
  const [one, other] = conditions.filter(({ claim }) => claim === 'sub')
  if (one && other && !mayShareValue(one, other)) return { claim: 'sub' }
  const wantedIss = conditions.find(({ claim }) => claim === 'iss')
  if (issuer === undefined || !wantedIss) return undefined
  return mayShareValue(wantedIss, { claim: 'iss', wanted: [issuer] }) ? undefined : { claim: 'iss' }
}

/** Two patterns may always match one value, as far as is looked at. */
function mayShareValue({ wanted: some }: ClaimCondition, { wanted: others }: ClaimCondition): boolean {
  return some.some(one =>
    others.some(other => {
      const [a, b] = [String(one), String(other)]
      if (a.includes('*') && b.includes('*')) return true
      return a.includes('*') ? compileWildcard(a)(b) : compileWildcard(b)(a)
    }),
  )
}
