import { html, type SafeHtml } from '@remix-run/html-template'

/** A column: its heading, and what stands in it of a row. */
export interface Column<Row> {
  readonly heading: string
  /** Numbers stand at the right, one below the other. */
  readonly isNumber?: boolean
  cell(row: Row): SafeHtml | string | number | null | undefined
}

export interface TableOptions<Row> {
  /** What it shows, for those who do not see it; for all if `hasVisibleCaption`. */
  readonly caption: string
  readonly hasVisibleCaption?: boolean
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  /** An id for the element of a row, by which it is known again in a newer page; default: none. */
  readonly idOf?: (row: Row) => string
  /** How many rows there are beyond these. */
  readonly more?: number
  /** What stands in place of a table without rows; default: a table without any. */
  readonly empty?: SafeHtml
}

/** Returns a table; on a phone, each row is a card. The first column names the row. */
export function table<Row>({
  caption,
  hasVisibleCaption,
  columns,
  rows,
  idOf,
  more = 0,
  empty,
}: TableOptions<Row>): SafeHtml {
  if (rows.length === 0 && empty) return empty
  return html`<table>
<caption${hasVisibleCaption ? null : html` class="unseen"`}>${caption}</caption>
<thead><tr>${columns.map(({ heading, isNumber }) => html`<th scope="col"${classOf(isNumber)}>${heading}</th>`)}</tr></thead>
<tbody>
${rows.map(row => html`<tr${idOf && html` id="${idOf(row)}"`}>${columns.map((column, index) => cellOf(row, { column, isName: index === 0 }))}</tr>\n`)}</tbody>
</table>
${more > 0 ? html`<p class="more">and ${more.toLocaleString('en')} more</p>` : null}`
}

function cellOf<Row>(row: Row, { column, isName }: { column: Column<Row>; isName: boolean }): SafeHtml {
  const { heading, isNumber } = column
  const content = html`<span class="heading" aria-hidden="true">${heading}</span><span class="cell">${column.cell(row)}</span>`
  return isName
    ? html`<th scope="row"${classOf(isNumber)}>${content}</th>`
    : html`<td${classOf(isNumber)} data-column="${heading}">${content}</td>`
}

function classOf(isNumber: boolean | undefined): SafeHtml | null {
  return isNumber ? html` class="number"` : null
}
