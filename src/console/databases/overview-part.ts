import { html, type SafeHtml } from '@remix-run/html-template'
import type { RateReading } from '../../telemetry/readings.ts'
import { sourceNote } from '../pieces/source-note.ts'
import { table } from '../pieces/table.ts'
import { summarizeDeliveries } from './chart-part.ts'
import { resourceId, slotsSource } from './resource-part.ts'
import type { LiveTokens } from './tokens-by-database.ts'

const MAX_ROWS = 200

export interface OverviewContext {
  /** Returns the URL of the page that has a resource's part, by its position. */
  urlOf(position: number): string
  tokensOf(rate: RateReading): LiveTokens
  readonly now: number
  /** Whether no other instance shares its record of slots. */
  readonly isAlone: boolean
}

/** Returns all resources as a table, one line each, with a link to what is known of each; nothing for a single one. */
export function overviewPart(
  rates: readonly RateReading[],
  { urlOf, tokensOf, now, isAlone }: OverviewContext,
): SafeHtml | null {
  if (rates.length < 2) return null
  const rows = rates.slice(0, MAX_ROWS).map((rate, position) => ({
    rate,
    url: `${urlOf(position)}#${resourceId(rate.resource)}`,
    ...summarizeDeliveries(rate),
    waiting: rate.waiting.reduce((sum, { callers }) => sum + callers, 0),
    tokens: tokensOf(rate).count,
  }))
  return html`<section id="overview" class="card" aria-labelledby="overview-title">
<h2 id="overview-title">All resources</h2>
${table({
  caption: 'RDS resources with their new tokens, slots and live tokens',
  columns: [
    {
      heading: 'Databases',
      cell: ({ rate, url }) => html`<a href="${url}">${rate.databases.join(', ')}</a>`,
    },
    { heading: 'Resource', cell: ({ rate }) => html`<code>${rate.resource}</code>` },
    { heading: 'New tokens, 5 min', isNumber: true, cell: ({ total }) => total.toLocaleString('en') },
    { heading: 'Most in 1 s', isNumber: true, cell: ({ most }) => most },
    { heading: 'Limit', isNumber: true, cell: ({ rate }) => rate.perSecond },
    { heading: 'Waiting', isNumber: true, cell: ({ waiting }) => waiting },
    { heading: 'Slots free', isNumber: true, cell: ({ rate }) => rate.fleet?.free ?? '–' },
    { heading: 'Live tokens', isNumber: true, cell: ({ tokens }) => tokens.toLocaleString('en') },
  ],
  rows,
  more: rates.length - rows.length,
})}
<p class="source">Slots free: ${sourceNote({ source: slotsSource(isAlone), at: oldestReading(rows), now })} or later. All else: this instance, now.</p>
</section>
`
}

/** Returns when the oldest of the shown numbers of slots was read; undefined if none was. */
function oldestReading(rows: readonly { rate: RateReading }[]): number | undefined {
  const times = rows.flatMap(({ rate }) => rate.fleet?.readAt ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}
