import type { Claim, Principal } from '../authentication/principal.ts'
import { visitClaims } from './claim-condition.ts'
import { elementsOf, isClaimObject, ownClaim, textOf } from './claims.ts'
import { alternatives, type PrincipalSpec, type Scalar } from './grant.ts'
import type { PatternCondition } from './pattern-index.ts'

/** Returns the patterns that `compilePrincipal` matches texts with, each with its path from the top of a principal. */
export function principalPatterns({ subject, claims = {} }: PrincipalSpec): PatternCondition[] {
  const conditions: PatternCondition[] = []
  const add = (path: readonly string[], wanted: readonly Scalar[]) =>
    conditions.push({ path, patterns: textsOf(wanted) })
  if (subject !== undefined) add(['subject'], alternatives(subject))
  visitClaims(claims, add, ['claims'])
  return conditions
}

function textsOf(values: readonly Claim[]): string[] {
  return values.map(textOf).filter(text => text !== undefined)
}

/** Returns all texts of a principal that `compilePrincipal` may look at where a path leads, through lists and objects. */
export function textsOfPrincipal({ subject, claims }: Principal, path: readonly string[]): string[] {
  return textsAt({ subject, claims }, path)
}

function textsAt(claim: Claim | undefined, [name, ...below]: readonly string[]): string[] {
  if (claim === undefined) return []
  const elements = elementsOf(claim)
  if (name === undefined) return textsOf(elements)
  return elements.filter(isClaimObject).flatMap(object => textsAt(ownClaim(object, name), below))
}
