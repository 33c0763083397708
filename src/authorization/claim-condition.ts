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

  function add(spec: ClaimSpec, parents: string): void {
    for (const [name, wanted] of Object.entries(spec)) {
      if (isNested(wanted)) add(wanted, `${parents}${name}.`)
      else conditions.push({ claim: `${parents}${name}`, wanted: alternatives(wanted) })
    }
  }

  add(claims, '')
  return conditions
}
