import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import type { GrantSpec } from '../../authorization/grant.ts'
import { findScopeProblem } from '../../authorization/grant-scope.ts'
import type { Tenancy } from '../../authorization/tenancy/tenancy.ts'
import { namesText, type Report } from '../problems.ts'
import type { DefinedNames, Sections } from '../sections.ts'
import { checkPatterns } from './patterns.ts'

interface GrantCheck {
  definedNames: DefinedNames
  /** By the issuer's name; without those that are reported themselves. */
  tenancies: ReadonlyMap<string, Tenancy>
  report: Report
}

type NameCheck = Omit<GrantCheck, 'tenancies'>

/** Returns all grants, of which only those without a reported problem refer to something. */
export function checkGrants(
  entries: Sections['grants'],
  { definedNames, tenancies, report }: GrantCheck,
): readonly GrantSpec[] {
  for (const [position, grant] of entries)
    checkGrant(grant, { definedNames, tenancies, report: report.at(position) })
  checkUniqueNames(entries, report)
  return entries.map(([, grant]) => grant)
}

function checkGrant(grant: GrantSpec, { definedNames, tenancies, report }: GrantCheck): void {
  checkTarget(grant, { definedNames, report })
  const principal = report.at('principal')
  const { issuer } = grant.principal
  if (issuer === API_KEY_ISSUER) checkKeyNames(grant, { definedNames, report: principal })
  else if (!definedNames.issuers.has(issuer))
    principal.problem(`is not in issuers (${namesText(definedNames.issuers)})`, 'issuer')
  const scopeProblem = findScopeProblem(grant, tenancies.get(issuer))
  if (scopeProblem !== undefined) principal.problem(scopeProblem)
  checkPatterns(grant.principal, principal)
}

function checkUniqueNames(entries: Sections['grants'], report: Report): void {
  const positions = new Map<string, number>()
  for (const [position, { name }] of entries) {
    const first = positions.get(name)
    if (first === undefined) positions.set(name, position)
    else
      report.problem(
        `is already the name of grants[${first}]: choose another, because audit records name the grant`,
        position,
        'name',
      )
  }
}

function checkTarget({ database, users }: GrantSpec, { definedNames, report }: NameCheck): void {
  const { databases } = definedNames
  if (!databases.has(database)) {
    report.problem(`is not in databases (${namesText(databases.keys())})`, 'database')
    return
  }
  const databaseUsers = databases.get(database)
  if (databaseUsers === undefined) return
  users.forEach((user, position) => {
    if (!databaseUsers.includes(user))
      report.problem(`is not among the users of databases.${database}`, 'users', position)
  })
}

/** Does not quote the subject, which may be the key itself in the place of its name. */
function checkKeyNames({ principal: { subject } }: GrantSpec, { definedNames, report }: NameCheck): void {
  const names = typeof subject === 'string' ? [subject] : (subject ?? [])
  names.forEach((name, position) => {
    if (name.includes('*') || definedNames.apiKeys.has(name)) return
    const path = typeof subject === 'string' ? ['subject'] : ['subject', position]
    report.problem(`is not in apiKeys (${namesText(definedNames.apiKeys)})`, ...path)
  })
}
