import type { Claim } from '../authentication/principal.ts'

/** A JWT's object, as opposed to its scalars and lists. */
export type ClaimObject = { readonly [name: string]: Claim }

/**
 * The text that a scalar is compared by; undefined where it has none to trust. JSON.parse rounds integers beyond 2^53, so
 * that two ids would become one: such a number matches nothing, whoever wrote it.
 */
export function textOf(value: Claim): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
      return String(value)
    case 'number':
      return isExact(value) ? String(value) : undefined
    default:
      return undefined
  }
}

/** False of numbers that stand for other numbers as well. */
export function isExact(value: number): boolean {
  return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))
}

export function isClaimList(value: Claim | undefined): value is readonly Claim[] {
  return Array.isArray(value)
}

export function isClaimObject(value: Claim | undefined): value is ClaimObject {
  return typeof value === 'object' && value !== null && !isClaimList(value)
}

/** The claim of that name if the JWT itself carries it: what every object inherits (`constructor`, `__proto__`) is no claim. */
export function ownClaim(claims: ClaimObject, name: string): Claim | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}
