import type { OperatorSpec } from '../../authorization/grant.ts'
import type { Sections } from '../sections.ts'
import { checkPrincipal, checkUniqueNames, type GrantCheck } from './grants.ts'

/** Returns all operators, of which only those without a reported problem mean somebody. The rules are those of grants. */
export function checkOperators(
  entries: Sections['operators'],
  { report, ...check }: GrantCheck,
): readonly OperatorSpec[] {
  for (const [position, operator] of entries)
    checkPrincipal(operator, { ...check, report: report.at(position) })
  checkUniqueNames(entries, report, 'operators')
  return entries.map(([, operator]) => operator)
}
