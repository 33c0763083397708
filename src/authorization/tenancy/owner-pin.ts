import type { ClaimCondition } from '../claim-condition.ts'
import { type OwnerRules, ownerShapes, type Requirement } from './shared-oidc-provider.ts'

/**
 * Returns the conditions by which a grant pins the owner of a JWT: in every alternative the owner is spelled out, and what
 * the claim needs beside it is there. Without any, JWTs of others may match as well.
 */
export function ownerPins(rules: OwnerRules, conditions: readonly ClaimCondition[]): ClaimCondition[] {
  return conditions.filter(
    condition =>
      spellsOutOwner(rules, condition) &&
      missingRequirements(rules, { ...condition, conditions }).length === 0,
  )
}

/** Whether a condition spells out an owner in each of its alternatives. */
export function spellsOutOwner(rules: OwnerRules, { claim, wanted }: ClaimCondition): boolean {
  const shapes = ownerShapes(rules, claim)
  return wanted.length > 0 && wanted.every(value => shapes.some(shape => fitsShape(String(value), shape)))
}

/** Returns what a claim needs beside it in the same grant, and does not have. */
export function missingRequirements(
  { requirements = {} }: OwnerRules,
  { claim, conditions }: { claim: string; conditions: readonly ClaimCondition[] },
): Requirement[] {
  const wanted = Object.hasOwn(requirements, claim) ? (requirements[claim] ?? []) : []
  return wanted.filter(requirement => !conditions.some(condition => isMet(requirement, condition)))
}

function isMet({ claim, value }: Requirement, condition: ClaimCondition): boolean {
  if (condition.claim !== claim || condition.wanted.length === 0) return false
  return condition.wanted.every(wanted => {
    const text = String(wanted)
    return value === undefined ? text !== '' && !text.includes('*') : text === value
  })
}

function fitsShape(pattern: string, shape: string): boolean {
  const [before = '', after = ''] = shape.split('OWNER')
  if (!pattern.startsWith(before)) return false
  const fromOwner = pattern.slice(before.length)
  const wildcard = fromOwner.indexOf('*')
  if (wildcard < 0) return fromOwner !== '' && (after === '' || !fromOwner.startsWith(after))
  return after !== '' && fromOwner.slice(0, wildcard).indexOf(after) > 0
}
