import { html, type SafeHtml } from '@remix-run/html-template'
import type { RateReading } from '../../telemetry/readings.ts'
import { table } from '../pieces/table.ts'
import { summarizeDeliveries } from './chart-part.ts'
import { resourceId } from './resource-part.ts'
import type { LiveTokens } from './tokens-by-database.ts'

const MAX_ROWS = 200

export interface OverviewContext {
  /** Returns the URL of the page that has a resource's part, by its position. */
  urlOf(position: number): string
  tokensOf(rate: RateReading): LiveTokens
}

/** Returns all resources as a table, one line each, with a link to what is known of each; nothing for a single one. */
export function overviewPart(
  rates: readonly RateReading[],
  { urlOf, tokensOf }: OverviewContext,
): SafeHtml | null {
  if (rates.length < 2) return null
  const rows = rates.slice(0, MAX_ROWS).map((rate, position) => ({
    rate,
    url: `${urlOf(position)}#${resourceId(rate.resource)}`,
    ...summarizeDeliveries(rate),
    waiting: rate.waiting.reduce((sum, { callers }) => sum + callers, 0),
    tokens: tokensOf(rate).count,
  }))
  return html`<section id="overview" aria-labelledby="overview-title">
<h2 id="overview-title">All resources</h2>
${table({
  caption: 'RDS resources with their new tokens, slots and live tokens',
  columns: [
    {
      heading: 'Databases',
      cell: ({ rate, url }) => html`<a href="${url}">${rate.databases.join(', ')}</a>`,
    },
    { heading: 'Resource', cell: ({ rate }) => html`<code>${rate.resource}</code>` },
    { heading: 'New tokens, 5 min', isNumber: true, cell: ({ total }) => total },
    { heading: 'Most in 1 s', isNumber: true, cell: ({ most }) => most },
    { heading: 'Limit', isNumber: true, cell: ({ rate }) => rate.perSecond },
    { heading: 'Waiting', isNumber: true, cell: ({ waiting }) => waiting },
    { heading: 'Slots free', isNumber: true, cell: ({ rate }) => rate.fleet?.free ?? '–' },
    { heading: 'Live tokens', isNumber: true, cell: ({ tokens }) => tokens.toLocaleString('en') },
  ],
  rows,
  more: rates.length - rows.length,
})}
</section>
`
}
