import { html, type SafeHtml } from '@remix-run/html-template'
import { DECISIONS, RECORD_FILTERS, type RecordFilter, type RecordFilters } from './record-filters.ts'
import { RECORDS_URL } from './record-links.ts'

const HINTS: Partial<Record<RecordFilter, string>> = {
  principal: 'ISSUER/SUBJECT',
  reason: 'how it begins',
  type: 'lifecycle, started, …',
  'source-ip': '192.0.2.0/24',
  fingerprint: 'or its beginning',
  identity: 'of CloudTrail or RDS’s log',
  id: 'id or requestId',
  from: '2026-11-23T10:00:00Z',
  to: '2026-11-23T11:00:00Z',
}

/** Returns a form with every filter, for what no record on the page leads to. It opens without a script. */
export function filterForm(filters: RecordFilters): SafeHtml {
  return html`<details class="filter-form">
<summary>Filter</summary>
<form class="fields" method="get" action="${RECORDS_URL}" autocomplete="off">
${RECORD_FILTERS.map(name => field(name, filters[name]))}<div class="actions"><button type="submit">Show</button></div>
</form>
</details>`
}

function field(name: RecordFilter, value: string | undefined): SafeHtml {
  const id = `filter-${name}`
  const input =
    name === 'decision'
      ? html`<select id="${id}" name="${name}"><option value="">any</option>${DECISIONS.map(decision => html`<option${decision === value ? html` selected` : null}>${decision}</option>`)}</select>`
      : html`<input id="${id}" name="${name}" value="${value ?? ''}" placeholder="${HINTS[name] ?? 'any'}">`
  return html`<div class="field"><label for="${id}">${name}</label> ${input}</div>\n`
}
