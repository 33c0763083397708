import { UPDATED } from './updated.ts'

/** If more of a table is new than this, nothing is marked: marks would only flicker. */
const MAX_SHARE = 0.5

/** Marks the rows of elements with `data-marked` that were not there before the last update, until the next one. */
export function markNewRows(page: Document): void {
  const rows = () => [...page.querySelectorAll<HTMLElement>('[data-marked] tbody tr[id]')]
  let known = new Set(rows().map(({ id }) => id))
  page.addEventListener(UPDATED, () => {
    const current = rows()
    const added = current.filter(({ id }) => !known.has(id))
    const isCalm = added.length <= current.length * MAX_SHARE || added.length <= 1
    for (const row of current) row.toggleAttribute('data-new', isCalm && !known.has(row.id))
    known = new Set(current.map(({ id }) => id))
  })
}
