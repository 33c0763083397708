import { alternatives, type ClaimSpec, isNested, type PrincipalSpec, type Scalar } from './grant.ts'

/** One wanted claim with its alternatives. A nested claim is named `a.b`; the subject is named `sub`. */
export interface ClaimCondition {
  readonly claim: string
  readonly wanted: readonly Scalar[]
}

/** Returns what a grant wants of the claims of a principal, all of which must hold. */
export function claimConditions({ subject, claims = {} }: PrincipalSpec): ClaimCondition[] {
  const conditions: ClaimCondition[] = []
  if (subject !== undefined) conditions.push({ claim: 'sub', wanted: alternatives(subject) })

  visitClaims(claims, (path, wanted) => conditions.push({ claim: path.join('.'), wanted }))
  return conditions
}

/** Calls `onClaim` for each claim that is wanted, nested or not, with its path behind `parents` and its alternatives. */
export function visitClaims(
  spec: ClaimSpec,
  onClaim: (path: readonly string[], wanted: readonly Scalar[]) => void,
  parents: readonly string[] = [],
): void {
  for (const [name, wanted] of Object.entries(spec)) {
    const path = [...parents, name]
    if (isNested(wanted)) visitClaims(wanted, onClaim, path)
    else onClaim(path, alternatives(wanted))
  }
}
