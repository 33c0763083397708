import { html, type SafeHtml } from '@remix-run/html-template'
import { CONSOLE_PATH } from '../layout.ts'
import type { ConsolePage } from '../page.ts'
import type { ConsoleParts } from '../parts.ts'
import { emptyState } from '../pieces/empty-state.ts'
import { filteredUrl } from '../pieces/filter-links.ts'
import { shownText } from '../pieces/shown-text.ts'
import { type Column, table } from '../pieces/table.ts'
import { timeAt } from '../pieces/time.ts'
import { textParameter } from '../records/record-filters.ts'
import { explainUrl, RECORDS_URL, recordUrl, valueLink } from '../records/record-links.ts'
import { groupRefusals, type RefusalGroup } from '../records/refusal-groups.ts'
import { furtherLink, newestLink } from '../records/stretch-links.ts'
import { stretchNote } from '../records/stretch-note.ts'

const REFUSALS_URL = `${CONSOLE_PATH}/refusals`
const MAX_RECORDS = 2000
const MAX_GROUPS = 100
const MAX_LENGTH = 240

type RefusalsPageParts = Pick<ConsoleParts, 'recentRecords' | 'clock'>

/** Returns the page of what was refused or failed, by reason. It is live unless it shows a time that is over. */
export function refusalsPage({ recentRecords, clock }: RefusalsPageParts): ConsolePage {
  return {
    path: '/refusals',
    title: 'Refusals',
    description: 'Who got no token and why, by reason: the nearest grant, and what of it missed.',
    async render({ query }) {
      const { before } = query as Readonly<Record<string, unknown>>
      const bookmark = textParameter(before)
      const stretch = await recentRecords.read(
        { decisions: ['refused', 'failed'] },
        { limit: MAX_RECORDS, before: bookmark },
      )
      const groups = groupRefusals(stretch.records)
      const now = clock.now()
      const { origin } = recentRecords
      const furtherUrl = stretch.next && filteredUrl(REFUSALS_URL, { before: stretch.next })
      return html`${bookmark === undefined ? null : newestLink(REFUSALS_URL)}
<section id="refusals" class="card"${bookmark === undefined ? html` data-live data-holds` : null} aria-label="Refusals">
${stretchNote(stretch, { origin, now })}
${refusalsTable(groups, now)}
${furtherLink(furtherUrl, origin)}
</section>`
    },
  }
}

function refusalsTable(groups: readonly RefusalGroup[], now: number): SafeHtml {
  const columns: Column<RefusalGroup>[] = [
    { heading: 'Reason', cell: reasonCell },
    { heading: 'Requests', isNumber: true, cell: ({ count }) => count.toLocaleString('en') },
    {
      heading: 'Last',
      cell: ({ last, newest }) => html`<a href="${recordUrl(newest)}">${timeAt(last, now)}</a>`,
    },
    { heading: 'First', cell: ({ first }) => timeAt(first, now) },
    { heading: 'Whose', cell: whoseCell },
    { heading: 'Look closer', cell: linksCell },
  ]
  return table({
    caption: 'Refusals by reason, the most frequent first',
    columns,
    rows: groups.slice(0, MAX_GROUPS),
    more: Math.max(0, groups.length - MAX_GROUPS),
    empty: emptyState('Nobody was refused in what was looked at.'),
  })
}

function reasonCell({ code, decision, nearest, newest }: RefusalGroup): SafeHtml {
  const kind = html`<span class="badge" data-kind="${decision}">${shownText(code || decision, 60)}</span>`
  const example = html`<span class="example">${shownText(newest.record.reason, MAX_LENGTH)}</span>`
  return nearest
    ? html`${kind} <b>${shownText(nearest.missed, 80)}</b> missed grant <b>${shownText(nearest.grant, 80)}</b> ${example}`
    : html`${kind} ${example}`
}

function whoseCell({ principals, otherPrincipals, newest }: RefusalGroup): SafeHtml {
  const { network, sourceIp } = newest.record
  if (principals.length === 0)
    return html`nobody known${(sourceIp ?? network) ? html`, last from ${shownText(sourceIp ?? network, 64)}` : null}`
  return html`<ul class="whose">${principals.map(name => html`<li>${valueLink(name, { set: { principal: name } })}</li>`)}${otherPrincipals > 0 ? html`<li>and ${otherPrincipals.toLocaleString('en')} others</li>` : null}</ul>`
}

function linksCell({ code, decision, reason, newest }: RefusalGroup): SafeHtml {
  const records = filteredUrl(RECORDS_URL, { decision, code, reason })
  return html`<a href="${records}">its records</a>${newest.record.principal ? html` · <a href="${explainUrl(newest)}">explain the last</a>` : null}`
}
