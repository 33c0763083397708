import { html, type SafeHtml } from '@remix-run/html-template'
import type { FoundRecord } from '../../audit/recent-records.ts'
import type { ConsolePage } from '../page.ts'
import type { ConsoleParts } from '../parts.ts'
import { filteredUrl } from '../pieces/filter-links.ts'
import { findRecord, type RecordReference } from '../records/find-record.ts'
import { foldRecords } from '../records/folded-records.ts'
import { queryCommand, sessionNames } from '../records/query-command.ts'
import { recordFacts } from '../records/record-facts.ts'
import { type RecordFilters, recordsQuery } from '../records/record-filters.ts'
import { explainUrl, principalOf, RECORDS_URL } from '../records/record-links.ts'
import { recordSummary } from '../records/record-summary.ts'
import { recordsTable } from '../records/records-table.ts'

const MAX_NEIGHBOURS = 5

type RecordPageParts = Pick<ConsoleParts, 'recentRecords' | 'clock'>

/** Returns the page of one record: all that it says, how to find it elsewhere, and those around it. */
export function recordPage({ recentRecords, clock }: RecordPageParts): ConsolePage {
  /** Those before this one that have something in common with it; nothing if it does not have that. */
  async function neighbours(
    found: FoundRecord,
    of: { caption: string; filters: RecordFilters },
  ): Promise<SafeHtml | null> {
    const { caption, filters } = of
    if (Object.values(filters).every(value => value === undefined)) return null
    const limit = MAX_NEIGHBOURS + 1
    const { records } = await recentRecords.read(recordsQuery(filters), { limit, before: found.bookmark })
    const others = records.filter(({ line }) => line !== found.line).slice(0, MAX_NEIGHBOURS)
    const { lines } = foldRecords(others, { maxLines: MAX_NEIGHBOURS, isFolded: false })
    const empty = html`<p class="empty">None before it, in what was looked at.</p>`
    return html`<section class="card" aria-label="${caption}">
<h2>${caption}</h2>
${recordsTable({ caption, lines, filters: {}, now: clock.now(), empty })}
<p><a href="${filteredUrl(RECORDS_URL, filters)}">All of them, the newest first</a></p>
</section>`
  }

  return {
    path: '/records/:id',
    below: '/records',
    title: 'A record',
    description: 'All that stands in it, and how to find it elsewhere.',
    async render({ params, query }) {
      const { id, at } = { ...(query as object), ...(params as object) } as Partial<RecordReference>
      const found = await findRecord(recentRecords, { id, at })
      const { record } = found
      const { fingerprint } = record
      return html`<div class="cards">
<section class="card" aria-label="What it says">
<p class="summary"><bdi>${recordSummary(found)}</bdi></p>
${recordFacts(found, clock.now())}
</section>
<section class="card" aria-label="Find it elsewhere">
<h2>Find it elsewhere</h2>
${command('query-command', { label: 'In the audit log', text: queryCommand(found, recentRecords.origin) })}
${sessionNote(found)}
${record.decision === 'refused' && record.principal ? html`<p><a href="${explainUrl(found)}">Explain what each grant misses now</a></p>` : null}
</section>
${await neighbours(found, { caption: 'The same principal before', filters: { principal: principalOf(record.principal) } })}
${await neighbours(found, { caption: 'The same token before', filters: { fingerprint: typeof fingerprint === 'string' ? fingerprint : undefined } })}
</div>`
    },
  }
}

function sessionNote(found: FoundRecord): SafeHtml | null {
  const names = sessionNames(found)
  if (!names) return null
  return html`<p>RDS’s log <code>iam-db-auth-error</code> names a login with this token that failed as <code>${names.inRdsLog}</code>. CloudTrail has the <code>AssumeRole</code> of its role session, up to an hour before.</p>
${command('cloudtrail-command', { label: 'In CloudTrail', text: names.awsCommand })}`
}

/** The button is hidden until the script that it needs is there. */
function command(id: string, { label, text }: { label: string; text: string }): SafeHtml {
  return html`<div class="command"><p id="${id}-label">${label}</p>
<pre tabindex="0" role="region" aria-labelledby="${id}-label"><code id="${id}">${text}</code></pre>
<button type="button" data-copies="${id}" hidden>Copy</button></div>`
}
