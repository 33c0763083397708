import type { Claim, Principal } from '../authentication/principal.ts'
import { elementsOf, isClaimObject, ownClaim, textOf } from './claims.ts'
import { alternatives, type ClaimSpec, isNested, type PrincipalSpec, type Scalar } from './grant.ts'
import type { PatternCondition } from './pattern-index.ts'

/** Returns the patterns that `compilePrincipal` matches texts with, each with its path from the top of a principal. */
export function principalPatterns({ subject, claims = {} }: PrincipalSpec): PatternCondition[] {
  const conditions: PatternCondition[] = []

  function add(spec: ClaimSpec, parents: readonly string[]): void {
    for (const [name, wanted] of Object.entries(spec)) {
      const path = [...parents, name]
      if (isNested(wanted)) add(wanted, path)
      else conditions.push({ path, patterns: textsOf(wanted) })
    }
  }

  if (subject !== undefined) add({ subject }, [])
  add(claims, ['claims'])
  return conditions
}

function textsOf(wanted: Scalar | readonly Scalar[]): string[] {
  return alternatives(wanted)
    .map(textOf)
    .filter(text => text !== undefined)
}

/** Returns all texts of a principal that `compilePrincipal` may look at where a path leads, through lists and objects. */
export function textsOfPrincipal({ subject, claims }: Principal, path: readonly string[]): string[] {
  return textsAt({ subject, claims }, path)
}

function textsAt(claim: Claim | undefined, [name, ...below]: readonly string[]): string[] {
  if (claim === undefined) return []
  const elements = elementsOf(claim)
  if (name === undefined) return elements.map(textOf).filter(text => text !== undefined)
  return elements.filter(isClaimObject).flatMap(object => textsAt(ownClaim(object, name), below))
}
