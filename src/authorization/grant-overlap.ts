import { type ClaimCondition, claimConditions } from './claim-condition.ts'
import type { GrantSpec, PrincipalSpec } from './grant.ts'
import { periodOf } from './grant-times.ts'
import { compileWildcard } from './wildcard.ts'

/** A grant with its own conditions (`claimConditions`), to be compared with many. */
export interface ComparedGrant {
  readonly grant: GrantSpec
  readonly conditions: readonly ClaimCondition[]
}

/**
 * Whether the first of two grants allows all that the second does, so that the second never counts. False if that cannot be
 * told, as of two different patterns.
 */
export function coversGrant(first: ComparedGrant, second: ComparedGrant): boolean {
  const [wide, narrow] = [first.grant, second.grant]
  return (
    wide.database === narrow.database &&
    wide.principal.issuer === narrow.principal.issuer &&
    narrow.users.every(user => wide.users.includes(user)) &&
    coversTimes(wide, narrow) &&
    first.conditions.every(wider =>
      second.conditions.some(narrower => narrower.claim === wider.claim && coversValues(wider, narrower)),
    )
  )
}

function coversTimes(wide: GrantSpec, narrow: GrantSpec): boolean {
  const [wider, narrower] = [periodOf(wide), periodOf(narrow)]
  return !wider || (narrower !== undefined && wider.from <= narrower.from && wider.end >= narrower.end)
}

/** Of a list of nothing that cannot be told: it never holds, whatever else is there. */
function coversValues({ wanted: wider }: ClaimCondition, { wanted: narrower }: ClaimCondition): boolean {
  return (
    narrower.length > 0 &&
    narrower.every(value => wider.some(pattern => coversValue(String(pattern), String(value))))
  )
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
