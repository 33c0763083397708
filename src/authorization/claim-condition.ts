import { alternatives, type ClaimSpec, isNested, type PrincipalSpec, type Scalar } from './grant.ts'

/** One wanted claim with its alternatives. A nested claim is named `a.b`; the subject is named `sub`. */
export interface ClaimCondition {
  readonly claim: string
  readonly wanted: readonly Scalar[]
}

/** Returns what a grant wants of the claims of a principal, all of which must hold. */
export function claimConditions({ subject, claims = {} }: PrincipalSpec): ClaimCondition[] {
  const ofSubject = subject === undefined ? [] : [{ claim: 'sub', wanted: alternatives(subject) }]
  return [...ofSubject, ...conditionsOf(claims, [])]
}

function conditionsOf(spec: ClaimSpec, path: readonly string[]): ClaimCondition[] {
  return Object.entries(spec).flatMap(([name, wanted]) =>
    isNested(wanted)
      ? conditionsOf(wanted, [...path, name])
      : [{ claim: [...path, name].join('.'), wanted: alternatives(wanted) }],
  )
}
