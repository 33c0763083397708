import { claimConditions } from '../../authorization/claim-condition.ts'
import { findCoveredGrants } from '../../authorization/covered-grants.ts'
import type { GrantSpec, PrincipalSpec } from '../../authorization/grant.ts'
import { groupBy } from '../../lib/maps.ts'

/** What a matrix shows of all grants: those that have each of these. */
export interface MatrixFilter {
  readonly issuer?: string | undefined
  readonly database?: string | undefined
  /** A part of what a principal is described by, in any case. */
  readonly principal?: string | undefined
}

/** A grant, and the first one before it that allows all that it does, so that it never counts. */
export interface MatrixGrant extends GrantSpec {
  readonly coveredBy: string | undefined
}

/** Principals of one description, and their grants by database user. */
export interface MatrixRow {
  readonly issuer: string
  /** Each condition as text, such as `repository_id: 1 or 2`. */
  readonly conditions: readonly string[]
  readonly grants: readonly MatrixGrant[]
}

/** A user of a database. */
export interface MatrixColumn {
  readonly database: string
  readonly user: string
}

/** Grants by principals and database users. */
export interface GrantMatrix {
  /** Of one page: grouped by issuer, and else in the order of the file. */
  readonly rows: readonly MatrixRow[]
  /** The database users that most of these rows have; of a row's other grants, `elsewhere` has those. */
  readonly columns: readonly MatrixColumn[]
  /** From 1. */
  readonly page: number
  readonly pages: number
  /** How many rows all pages have together. */
  readonly total: number
}

const ROWS_PER_PAGE = 50
/** As many as are legible beside each other. */
const MAX_COLUMNS = 12

/** Returns all rows of grants, to be filtered. Compares grants with each other, so do it once for each configuration. */
export function matrixRows(grants: readonly GrantSpec[]): MatrixRow[] {
  const covered = findCoveredGrants(grants)
  const coveredBy = (position: number) => {
    const first = covered.get(position)
    return first === undefined ? undefined : grants[first]?.name
  }
  const all = grants.map((grant, position) => ({ ...grant, coveredBy: coveredBy(position) }))
  const rows = [...groupBy(all, ({ principal }) => JSON.stringify(principal)).values()].flatMap(rowOf)
  return [...groupBy(rows, ({ issuer }) => issuer).values()].flat()
}

function rowOf(grants: readonly MatrixGrant[]): MatrixRow[] {
  const [first] = grants
  return first
    ? [{ issuer: first.principal.issuer, conditions: conditionTexts(first.principal), grants }]
    : []
}

/** Returns each condition on principals as text, such as `repository_id: 1 or 2`; `anyone` if there is none. */
export function conditionTexts(principal: PrincipalSpec): string[] {
  const conditions = claimConditions(principal).map(({ claim, wanted }) => `${claim}: ${wanted.join(' or ')}`)
  return conditions.length > 0 ? conditions : ['anyone']
}

/** Returns the times of a grant or an operator as text, such as `until 2026-12-31T18:00:00Z`. */
export function timeTexts({ notBefore, notAfter }: Pick<GrantSpec, 'notBefore' | 'notAfter'>): string[] {
  return [
    ...(notBefore === undefined ? [] : [`from ${notBefore}`]),
    ...(notAfter === undefined ? [] : [`until ${notAfter}`]),
  ]
}

/** Returns one page of the rows that pass a filter; of a page beyond the last, the last. */
export function grantMatrix(
  rows: readonly MatrixRow[],
  { filter, page: wanted }: { filter: MatrixFilter; page: number },
): GrantMatrix {
  const filtered = rows.flatMap(row => filterRow(row, filter))
  const pages = Math.max(1, Math.ceil(filtered.length / ROWS_PER_PAGE))
  const page = Math.min(Math.max(1, wanted), pages)
  const shown = filtered.slice((page - 1) * ROWS_PER_PAGE, page * ROWS_PER_PAGE)
  return { rows: shown, columns: columnsOf(shown), page, pages, total: filtered.length }
}

function filterRow(row: MatrixRow, { issuer, database, principal }: MatrixFilter): MatrixRow[] {
  const isMeant =
    (issuer === undefined || row.issuer === issuer) &&
    (principal === undefined ||
      row.conditions.some(text => text.toLowerCase().includes(principal.toLowerCase())))
  if (!isMeant) return []
  if (database === undefined) return [row]
  const grants = row.grants.filter(grant => grant.database === database)
  return grants.length === 0 ? [] : [{ ...row, grants }]
}

/** Those that most rows have, each database's together, in the order in which the rows name them. */
function columnsOf(rows: readonly MatrixRow[]): MatrixColumn[] {
  const named = rows.flatMap(({ grants }) =>
    grants.flatMap(({ database, users }) => users.map(user => ({ database, user }))),
  )
  const byColumn = [...groupBy(named, ({ database, user }) => `${database}\n${user}`).values()]
  const kept = byColumn
    .toSorted((one, other) => other.length - one.length)
    .slice(0, MAX_COLUMNS)
    .flatMap(([first]) => first ?? [])
  const order = new Map(byColumn.map(([first], index) => [first, index]))
  const inOrder = kept.toSorted((one, other) => (order.get(one) ?? 0) - (order.get(other) ?? 0))
  return [...groupBy(inOrder, ({ database }) => database).values()].flat()
}

/** Returns the grants of a row for one database user. */
export function cellOf({ grants }: MatrixRow, { database, user }: MatrixColumn): readonly MatrixGrant[] {
  return grants.filter(grant => grant.database === database && grant.users.includes(user))
}

/** Returns the database users of a row that are no column, each with its grants. */
export function elsewhere(
  row: MatrixRow,
  columns: readonly MatrixColumn[],
): readonly (MatrixColumn & { readonly grants: readonly MatrixGrant[] })[] {
  const isColumn = new Set(columns.map(({ database, user }) => `${database}\n${user}`))
  const others = row.grants.flatMap(grant =>
    grant.users.map(user => ({ database: grant.database, user, grant })),
  )
  const rest = others.filter(({ database, user }) => !isColumn.has(`${database}\n${user}`))
  return [...groupBy(rest, ({ database, user }) => `${database}\n${user}`).values()].flatMap(alike => {
    const [first] = alike
    return first
      ? [{ database: first.database, user: first.user, grants: alike.map(({ grant }) => grant) }]
      : []
  })
}
