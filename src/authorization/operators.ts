import type { Principal } from '../authentication/principal.ts'
import { escapeText, shorten } from '../lib/printable.ts'
import { compilePrincipal } from './claim-matcher.ts'
import { showClaim } from './claims.ts'
import type { OperatorSpec } from './grant.ts'

const MAX_REASON_LENGTH = 300

/** Who may open the console, by one configuration. */
export interface Operators {
  /** Whether any are named. */
  readonly isEmpty: boolean
  /** Returns the name of the first that means a principal; undefined if none does. */
  find(principal: Principal): string | undefined
  /** Returns one line for the audit record: why none does, and which came nearest; escaped, at most 300 characters. */
  reason(principal: Principal): string
}

/** Compiles the operators of a configuration. Does not judge them: `checkOperators` does. */
export function compileOperators(specs: readonly OperatorSpec[]): Operators {
  const operators = specs.map(({ name, principal }) => ({
    name,
    issuer: principal.issuer,
    matcher: compilePrincipal(principal),
  }))
  return {
    isEmpty: operators.length === 0,
    find: principal =>
      operators.find(({ issuer, matcher }) => issuer === principal.issuer && matcher.matches(principal))
        ?.name,
    reason(principal) {
      const misses = operators
        .filter(({ issuer }) => issuer === principal.issuer)
        .map(({ name, matcher }) => ({
          name,
          missed: matcher.explain(principal).filter(({ holds }) => !holds),
        }))
        .sort((one, other) => one.missed.length - other.missed.length)
      const [nearest] = misses
      if (!nearest)
        return shorten(`no operator is of issuer ${escapeText(principal.issuer)}`, MAX_REASON_LENGTH)
      const missed = nearest.missed.map(({ name, found, wanted }) => {
        const actual = found === undefined ? 'is missing' : `is ${showClaim(found)}`
        return `${escapeText(name)} ${actual}, wanted ${escapeText(wanted.join(' or '))}`
      })
      return shorten(`nearest operator ${escapeText(nearest.name)}: ${missed.join('; ')}`, MAX_REASON_LENGTH)
    },
  }
}
