import { html, type SafeHtml } from '@remix-run/html-template'
import { escapeUnprintable, shorten } from '../../lib/printable.ts'
import { emptyState } from '../pieces/empty-state.ts'
import { filteredUrl } from '../pieces/filter-links.ts'
import { paging } from '../pieces/paging.ts'
import {
  cellOf,
  elsewhere,
  type GrantMatrix,
  type MatrixColumn,
  type MatrixFilter,
  type MatrixGrant,
  type MatrixRow,
  timeTexts,
} from './grant-matrix.ts'

/** In one cell. */
const MAX_GRANTS = 5
const MAX_ELSEWHERE = 12
const MAX_CONDITIONS = 8
const MAX_TEXT_LENGTH = 160

export interface MatrixPart {
  readonly matrix: GrantMatrix
  readonly filter: MatrixFilter
  /** The path of the page. */
  readonly path: string
}

/** Returns grants as a table of principals and database users, with links to the pages before and after. */
export function matrixPart({ matrix, filter, path }: MatrixPart): SafeHtml {
  const { rows, columns, page, pages, total } = matrix
  if (rows.length === 0) return emptyState('No grant is like that.')
  const hasElsewhere = rows.some(row => elsewhere(row, columns).length > 0)
  const url = (to: number) => filteredUrl(path, { ...filter, page: to === 1 ? undefined : String(to) })
  return html`<div class="matrix" role="region" aria-label="Principals and database users" tabindex="0">
<table class="grants">
<caption class="unseen">Grants by principals and database users</caption>
<thead>
<tr><th scope="col" rowspan="2">Principals</th>${databasesOf(columns).map(({ database, span }) => html`<th scope="colgroup" colspan="${span}">${database}</th>`)}${hasElsewhere ? html`<th scope="col" rowspan="2">Elsewhere</th>` : null}</tr>
<tr>${columns.map(({ user }) => html`<th scope="col">${shown(user)}</th>`)}</tr>
</thead>
${bodies(rows, { columns, hasElsewhere })}</table>
</div>
${paging({ label: 'Principals', text: `${total.toLocaleString('en')} ${total === 1 ? 'principal' : 'principals'}${pages === 1 ? '' : `, page ${page} of ${pages}`}`, page, pages, urlOf: url })}`
}

function databasesOf(columns: readonly MatrixColumn[]): { database: string; span: number }[] {
  const spans = new Map<string, number>()
  for (const { database } of columns) spans.set(database, (spans.get(database) ?? 0) + 1)
  return [...spans].map(([database, span]) => ({ database, span }))
}

interface Shape {
  readonly columns: readonly MatrixColumn[]
  readonly hasElsewhere: boolean
}

/** One for each issuer. */
function bodies(rows: readonly MatrixRow[], shape: Shape): SafeHtml[] {
  const { columns, hasElsewhere } = shape
  const width = 1 + columns.length + (hasElsewhere ? 1 : 0)
  return [...new Set(rows.map(({ issuer }) => issuer))].map(
    issuer => html`<tbody>
<tr><th scope="rowgroup" colspan="${width}" class="issuer">${issuer}</th></tr>
${rows.filter(row => row.issuer === issuer).map(row => rowPart(row, shape))}</tbody>
`,
  )
}

function rowPart(row: MatrixRow, { columns, hasElsewhere }: Shape): SafeHtml {
  return html`<tr><th scope="row">${limited(row.conditions, { max: MAX_CONDITIONS, show: text => html`<div>${shown(text)}</div>` })}</th>${columns.map(column => html`<td>${grantsPart(cellOf(row, column))}</td>`)}${hasElsewhere ? html`<td>${elsewherePart(row, columns)}</td>` : null}</tr>\n`
}

function elsewherePart(row: MatrixRow, columns: readonly MatrixColumn[]): SafeHtml {
  return limited(elsewhere(row, columns), {
    max: MAX_ELSEWHERE,
    show: ({ database, user, grants }) =>
      html`<div>${database} / ${shown(user)}: ${grantsPart(grants)}</div>`,
  })
}

function grantsPart(grants: readonly MatrixGrant[]): SafeHtml {
  return limited(grants, { max: MAX_GRANTS, show: grantPart })
}

function grantPart({ name, session, coveredBy, ...times }: MatrixGrant): SafeHtml {
  const facts = [
    session === 'per-principal' ? 'session per principal' : undefined,
    ...timeTexts(times),
    coveredBy === undefined ? undefined : `never counts: ${coveredBy} allows all of it`,
  ].filter(fact => fact !== undefined)
  return html`<div class="grant${coveredBy === undefined ? '' : ' covered'}">${name}${facts.map(fact => html` <small>${shown(fact)}</small>`)}</div>`
}

function limited<T>(
  values: readonly T[],
  { max, show }: { max: number; show: (value: T) => SafeHtml },
): SafeHtml {
  const more = values.length - max
  return html`${values.slice(0, max).map(show)}${more > 0 ? html`<div class="more">and ${more} more</div>` : null}`
}

function shown(text: string): string {
  return escapeUnprintable(shorten(text, MAX_TEXT_LENGTH))
}
