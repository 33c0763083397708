import type { Principal } from '../authentication/principal.ts'
import { escapeText, shorten } from '../lib/printable.ts'
import { compilePrincipal } from './claim-matcher.ts'
import { describeMiss } from './explain.ts'
import type { OperatorSpec } from './grant.ts'
import { isWithin, periodOf, timeConditions } from './grant-times.ts'

const MAX_REASON_LENGTH = 300

/** Who may open the console, by one configuration. */
export interface Operators {
  /** Whether any are named, in force or not. */
  readonly isEmpty: boolean
  /** Returns the name of the first that means a principal at a moment (ms); undefined if none does. */
  find(principal: Principal, now: number): string | undefined
  /** Returns one line for the audit record: why none does, and which came nearest; escaped, at most 300 characters. */
  reason(principal: Principal, now: number): string
}

/** Compiles the operators of a configuration. Does not judge them: `checkOperators` does. */
export function compileOperators(specs: readonly OperatorSpec[]): Operators {
  const operators = specs.map(({ name, principal, ...times }) => ({
    name,
    issuer: principal.issuer,
    matcher: compilePrincipal(principal),
    period: periodOf(times),
  }))
  return {
    isEmpty: operators.length === 0,
    find: (principal, now) =>
      operators.find(
        ({ issuer, matcher, period }) =>
          issuer === principal.issuer && isWithin(period, now) && matcher.matches(principal),
      )?.name,
    reason(principal, now) {
      const misses = operators
        .filter(({ issuer }) => issuer === principal.issuer)
        .map(({ name, matcher, period }) => ({
          name,
          missed: [...timeConditions({ period }, now), ...matcher.explain(principal)].filter(
            ({ holds }) => !holds,
          ),
        }))
        .sort((one, other) => one.missed.length - other.missed.length)
      const [nearest] = misses
      if (!nearest)
        return shorten(`no operator is of issuer ${escapeText(principal.issuer)}`, MAX_REASON_LENGTH)
      const missed = nearest.missed.map(describeMiss).join('; ')
      return shorten(`nearest operator ${escapeText(nearest.name)}: ${missed}`, MAX_REASON_LENGTH)
    },
  }
}
