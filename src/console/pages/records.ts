import { html } from '@remix-run/html-template'
import type { Stretch } from '../../audit/recent-records.ts'
import type { ConsolePage } from '../page.ts'
import type { ConsoleParts } from '../parts.ts'
import { emptyState } from '../pieces/empty-state.ts'
import { activeFilters, filteredUrl } from '../pieces/filter-links.ts'
import { filterForm } from '../records/filter-form.ts'
import { foldRecords } from '../records/folded-records.ts'
import { readFilters, recordsQuery, textParameter } from '../records/record-filters.ts'
import { RECORDS_URL } from '../records/record-links.ts'
import { recordsTable } from '../records/records-table.ts'
import { furtherLink, newestLink } from '../records/stretch-links.ts'
import { stretchNote } from '../records/stretch-note.ts'

const MAX_LINES = 100
/** So many records are looked at for these lines: under a load, most of them share one. */
const MAX_RECORDS = 1000

type RecordsPageParts = Pick<ConsoleParts, 'recentRecords' | 'clock'>

/** Returns the page of the newest records: who got what. It is live unless it shows a time that is over. */
export function recordsPage({ recentRecords, clock }: RecordsPageParts): ConsolePage {
  return {
    path: '/records',
    title: 'Who got what',
    description: 'The newest records of the audit log. What you follow in them becomes a filter.',
    async render({ query: parameters }) {
      const filters = readFilters(parameters)
      const { before, each } = parameters as Readonly<Record<string, unknown>>
      const bookmark = textParameter(before)
      const isFolded = textParameter(each) !== 'yes'
      const stretch = await recentRecords.read(recordsQuery(filters), {
        limit: isFolded ? MAX_RECORDS : MAX_LINES,
        before: bookmark,
      })
      const { lines, next = stretch.next } = foldRecords(stretch.records, { maxLines: MAX_LINES, isFolded })
      const isLive = bookmark === undefined && filters.to === undefined
      const now = clock.now()
      const { origin } = recentRecords
      const furtherUrl =
        next && filteredUrl(RECORDS_URL, { ...filters, before: next, each: isFolded ? undefined : 'yes' })
      return html`${activeFilters(RECORDS_URL, filters)}
${filterForm(filters)}
${isLive ? null : newestLink(filteredUrl(RECORDS_URL, { ...filters, to: undefined }))}
<section id="records" class="card"${isLive ? html` data-live data-holds data-marked` : null} aria-label="Records">
${stretchNote(stretch, { origin, now })}
${recordsTable({ caption: 'The newest records', lines, filters, now, empty: emptyState(emptyText(stretch)) })}
${furtherLink(furtherUrl, origin)}
</section>`
    },
  }
}

function emptyText({ next }: Stretch): string {
  return next === undefined
    ? 'No record matches.'
    : 'No record matches in what was looked at. There is more further back.'
}
