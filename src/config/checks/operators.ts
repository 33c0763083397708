import type { GrantSpec, OperatorSpec } from '../../authorization/grant.ts'
import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'
import { checkGrants, checkPrincipal, checkTimes, checkUniqueNames, type GrantCheck } from './grants.ts'

type GrantedSections = Pick<Sections, 'grants' | 'operators' | 'issuers' | 'definedNames'>

/** Returns all grants and operators, of which only those without a reported problem refer to something. */
export function checkGranted(
  { grants, operators, issuers, definedNames }: GrantedSections,
  { tenancies, report }: Pick<GrantCheck, 'tenancies'> & { report: Report },
): { grants: readonly GrantSpec[]; operators: readonly OperatorSpec[] } {
  const issuerUrls = new Map(issuers.map(([name, { issuer }]) => [name, issuer]))
  const at = (section: 'grants' | 'operators') => ({
    ...{ definedNames, tenancies, issuerUrls },
    report: report.at(section),
  })
  return {
    grants: checkGrants(grants, at('grants')),
    operators: checkOperators(operators, at('operators')),
  }
}

/** The rules are those of grants. */
function checkOperators(
  entries: Sections['operators'],
  { report, ...check }: GrantCheck,
): readonly OperatorSpec[] {
  for (const [position, operator] of entries) {
    const at = report.at(position)
    checkPrincipal(operator, { ...check, report: at })
    checkTimes(operator, at)
  }
  checkUniqueNames(entries, report, 'operators')
  return entries.map(([, operator]) => operator)
}
