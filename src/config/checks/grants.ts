import type { GrantSpec } from '../../authorization/grant.ts'
import { findScopeProblem } from '../../authorization/grant-scope.ts'
import { namesText } from '../problems.ts'
import type { Report } from '../report.ts'
import { API_KEY_ISSUER } from './issuers.ts'

/** What grants may refer to. */
export interface Named {
  /** URLs by name. */
  readonly issuers: ReadonlyMap<string, string>
  readonly apiKeys: ReadonlySet<string>
  /** Users by the name of the database; undefined where the database has no list of them. */
  readonly databases: ReadonlyMap<string, readonly unknown[] | undefined>
}

interface Context {
  named: Named
  report: Report
}

export function checkGrant(grant: GrantSpec, { named, report }: Context): void {
  checkTarget(grant, { named, report })
  const principal = report.at('principal')
  if (grant.principal.issuer === API_KEY_ISSUER) checkKeyHolder(grant, { named, report: principal })
  else if (!named.issuers.has(grant.principal.issuer))
    principal.problem(`is not in issuers (${namesText(named.issuers.keys())})`, 'issuer')
  const open = findScopeProblem(grant, named.issuers.get(grant.principal.issuer))
  if (open !== undefined) principal.problem(open)
}

export function checkUniqueNames(grants: readonly (readonly [number, GrantSpec])[], report: Report): void {
  const seen = new Map<string, number>()
  for (const [position, { name }] of grants) {
    const first = seen.get(name)
    if (first === undefined) seen.set(name, position)
    else report.problem(`is the name of grants[${first}] too; records name a grant by it`, position, 'name')
  }
}

function checkTarget({ database, users }: GrantSpec, { named, report }: Context): void {
  if (!named.databases.has(database)) {
    report.problem(`is not in databases (${namesText(named.databases.keys())})`, 'database')
    return
  }
  const known = named.databases.get(database)
  if (known === undefined) return
  users.forEach((user, position) => {
    if (!known.includes(user))
      report.problem(`is not among the users of databases.${database}`, 'users', position)
  })
}

/** The subject is not quoted: it may be the key itself, put where its name belongs. */
function checkKeyHolder({ principal: { subject } }: GrantSpec, { named, report }: Context): void {
  const names = typeof subject === 'string' ? [subject] : (subject ?? [])
  names.forEach((name, position) => {
    if (name.includes('*') || named.apiKeys.has(name)) return
    const here = typeof subject === 'string' ? report.at('subject') : report.at('subject', position)
    here.problem(`is not the name of one of the apiKeys (${namesText(named.apiKeys)})`)
  })
}
