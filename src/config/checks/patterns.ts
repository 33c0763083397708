import {
  alternatives,
  type ClaimSpec,
  isNested,
  type PrincipalSpec,
  type Scalar,
} from '../../authorization/grant.ts'
import { findPatternProblem } from '../../authorization/wildcard.ts'
import type { Report } from '../problems.ts'

/** Reports patterns of a grant that would cost too much to match: each is matched with what callers choose. */
export function checkPatterns({ subject, claims = {} }: PrincipalSpec, report: Report): void {
  if (subject !== undefined) checkValues(subject, report.at('subject'))
  checkClaims(claims, report.at('claims'))
}

function checkClaims(claims: ClaimSpec, report: Report): void {
  for (const [name, wanted] of Object.entries(claims)) {
    if (isNested(wanted)) checkClaims(wanted, report.at(name))
    else checkValues(wanted, report.at(name))
  }
}

function checkValues(wanted: Scalar | readonly Scalar[], report: Report): void {
  alternatives(wanted).forEach((value, position) => {
    const problem = typeof value === 'string' ? findPatternProblem(value) : undefined
    if (problem !== undefined) report.problem(problem, ...(typeof wanted === 'object' ? [position] : []))
  })
}
