import { html, type SafeHtml } from '@remix-run/html-template'
import type { ExpiryReading } from '../../telemetry/readings.ts'
import { table } from '../pieces/table.ts'
import { timeAt } from '../pieces/time.ts'

const MAX_ROWS = 10
const SOON_MS = 14 * 86_400_000

/** Returns what ends by itself, the soonest first: certificates of jeton's listeners, and CA bundles of RDS. */
export function expiriesPart(expiries: readonly ExpiryReading[], now: number): SafeHtml | null {
  if (expiries.length === 0) return null
  const rows = [...expiries].sort((one, other) => one.notAfter - other.notAfter).slice(0, MAX_ROWS)
  return html`<section id="expiries" class="card" aria-labelledby="expiries-title">
<h2 id="expiries-title">What ends by itself</h2>
${table<ExpiryReading>({
  caption: 'Certificates and CA bundles, the soonest first',
  columns: [
    {
      heading: 'Of',
      cell: ({ of, kind }) => (kind === 'certificate' ? `the listener ${of}` : `RDS in ${of}`),
    },
    {
      heading: 'What',
      cell: ({ kind }) => (kind === 'certificate' ? 'certificate' : 'first CA certificate of the bundle'),
    },
    {
      heading: 'Ends',
      cell: ({ notAfter }) =>
        notAfter - now < SOON_MS
          ? html`<strong class="warn">${timeAt(notAfter, now)}</strong>`
          : timeAt(notAfter, now),
    },
  ],
  rows,
  more: expiries.length - rows.length,
})}
</section>
`
}
