import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import type { GrantSpec } from '../../authorization/grant.ts'
import { findContradiction } from '../../authorization/grant-overlap.ts'
import { findScopeProblem } from '../../authorization/grant-scope.ts'
import { periodOf } from '../../authorization/grant-times.ts'
import type { Tenancy } from '../../authorization/tenancy/tenancy.ts'
import { parseRfc3339 } from '../../lib/iso-time.ts'
import { findNearSpelling } from '../../lib/near-spelling.ts'
import { didYouMean, namesText, type Report, shownKey } from '../problems.ts'
import type { DefinedNames, Sections } from '../sections.ts'
import { checkPatterns } from './patterns.ts'

export interface GrantCheck {
  definedNames: DefinedNames
  /** By the issuer's name; without those that are reported themselves. */
  tenancies: ReadonlyMap<string, Tenancy>
  /** The `iss` of each issuer, by its name. */
  issuerUrls: ReadonlyMap<string, string>
  report: Report
}

type NameCheck = Omit<GrantCheck, 'tenancies' | 'issuerUrls'>

/** What has a name and means principals. */
type PrincipalEntry = Pick<GrantSpec, 'name' | 'principal' | 'notBefore' | 'notAfter'>

/** Returns all grants, of which only those without a reported problem refer to something. */
export function checkGrants(
  entries: Sections['grants'],
  { report, ...check }: GrantCheck,
): readonly GrantSpec[] {
  for (const [position, grant] of entries) checkGrant(grant, { ...check, report: report.at(position) })
  checkUniqueNames(entries, report)
  return entries.map(([, grant]) => grant)
}

function checkGrant(grant: GrantSpec, check: GrantCheck): void {
  checkTarget(grant, check)
  checkPrincipal(grant, check)
  checkTimes(grant, check.report)
}

/** Reports principals that a grant or an operator cannot mean: nobody, strangers of a shared issuer, or nobody that exists. */
export function checkPrincipal(
  grant: PrincipalEntry,
  { definedNames, tenancies, issuerUrls, report }: GrantCheck,
): void {
  const principal = report.at('principal')
  const { issuer } = grant.principal
  if (issuer === API_KEY_ISSUER) checkKeyNames(grant, { definedNames, report: principal })
  else if (definedNames.issuers && !definedNames.issuers.has(issuer))
    principal.problem(
      notIn('issuers', { name: issuer, names: definedNames.issuers, others: [API_KEY_ISSUER] }),
      'issuer',
    )
  const scopeProblem = findScopeProblem(grant, tenancies.get(issuer))
  if (scopeProblem !== undefined) principal.problem(scopeProblem)
  const contradiction = findContradiction(grant.principal, issuerUrls.get(issuer))
  if (contradiction !== undefined) principal.problem(CONTRADICTIONS[contradiction.claim])
  checkPatterns(grant.principal, principal)
}

/** Says nothing of two times that are in order, whether they are past or not: that changes without a change of the file. */
export function checkTimes(grant: PrincipalEntry, report: Report): void {
  const unreadable = (['notBefore', 'notAfter'] as const).filter(
    key => grant[key] !== undefined && parseRfc3339(grant[key]) === undefined,
  )
  for (const key of unreadable) report.problem(timeFault(grant[key] ?? ''), key)
  const period = periodOf(grant)
  // one millisecond is the least that two different times are apart
  if (period && unreadable.length === 0 && period.end - period.from <= 1)
    report.problem('must be later than notBefore, or this is never in force', 'notAfter')
}

function timeFault(text: string): string {
  if (parseRfc3339(`${text}Z`) !== undefined)
    return `has no time zone: write ${text}Z if it is in UTC, or ${text}+01:00 and the like`
  if (parseRfc3339(`${text}T00:00:00Z`) !== undefined)
    return `is a day and not a moment: write one such as ${text}T18:00:00Z, with a time zone`
  return 'is not a time by RFC 3339: write one such as 2026-12-31T18:00:00Z, or 2026-12-31T18:00:00+01:00'
}

const NAMED_BY = { grants: 'audit records name the grant', operators: 'logs name the operator' }

const CONTRADICTIONS = {
  sub: 'wants one `sub` by its subject and another by its claims, and no JWT has both: leave one of them out',
  iss: 'wants another `iss` than that of its issuer, which all JWTs have that are accepted from it: leave `iss` out',
}

/** Reports names that two entries of a list have. */
export function checkUniqueNames(
  entries: readonly (readonly [number, PrincipalEntry])[],
  report: Report,
  section: 'grants' | 'operators' = 'grants',
): void {
  const positions = new Map<string, number>()
  for (const [position, { name }] of entries) {
    const first = positions.get(name)
    if (first === undefined) positions.set(name, position)
    else
      report.problem(
        `is already the name of ${section}[${first}]: choose another, because ${NAMED_BY[section]}`,
        position,
        'name',
      )
  }
}

function checkTarget({ database, users }: GrantSpec, { definedNames, report }: NameCheck): void {
  const { databases } = definedNames
  if (databases === undefined) return
  if (!databases.has(database)) {
    report.problem(notIn('databases', { name: database, names: [...databases.keys()] }), 'database')
    return
  }
  const databaseUsers = databases.get(database)
  if (databaseUsers === undefined) return
  users.forEach((user, position) => {
    if (databaseUsers.includes(user)) return
    const names = databaseUsers.filter(name => typeof name === 'string')
    const near = findNearSpelling(user, names)
    report.problem(
      `is not among the users of databases.${database} (${namesText(names)})${didYouMean(near)}`,
      'users',
      position,
    )
  })
}

/** Does not quote the subject, which may be the key itself in the place of its name. */
function checkKeyNames(
  { principal: { subject } }: PrincipalEntry,
  { definedNames, report }: NameCheck,
): void {
  const { apiKeys } = definedNames
  if (apiKeys === undefined) return
  const subjects = typeof subject === 'string' ? [subject] : (subject ?? [])
  subjects.forEach((name, position) => {
    if (name.includes('*') || apiKeys.has(name)) return
    const path = typeof subject === 'string' ? ['subject'] : ['subject', position]
    report.problem(notIn('apiKeys', { name, names: apiKeys }), ...path)
  })
}

/** Does not quote the name, which may be a secret in the wrong place. */
function notIn(
  section: string,
  { name, names, others = [] }: { name: string; names: Iterable<string>; others?: readonly string[] },
): string {
  const near = findNearSpelling(name, [...names, ...others])
  return `is not in ${section} (${namesText([...names].map(shownKey))})${didYouMean(near)}`
}
