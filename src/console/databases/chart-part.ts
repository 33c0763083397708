import { html, type SafeHtml } from '@remix-run/html-template'
import type { RateReading } from '../../telemetry/readings.ts'

/** What of deliveries is said beside the bars. */
export interface DeliverySummary {
  readonly seconds: number
  readonly total: number
  /** The most in one second. */
  readonly most: number
}

/** Returns what the bars of a resource come to. */
export function summarizeDeliveries({ deliveredBySecond }: RateReading): DeliverySummary {
  return {
    seconds: deliveredBySecond.length,
    total: deliveredBySecond.reduce((sum, count) => sum + count, 0),
    most: deliveredBySecond.reduce((most, count) => Math.max(most, count), 0),
  }
}

/**
 * Returns the bars of a resource's new tokens, which the page's script draws, and the same as a sentence. They are this
 * instance's alone, and the limits are those of all instances together.
 */
export function chartPart(rate: RateReading, { isAlone }: { isAlone: boolean }): SafeHtml {
  const { seconds, total, most } = summarizeDeliveries(rate)
  const minutes = Math.round(seconds / 60)
  const sum =
    total === 0
      ? `No new token in the last ${minutes} minutes`
      : `${total.toLocaleString('en')} new token${total === 1 ? '' : 's'} in the last ${minutes} minutes, ${most} in one second at most`
  const whose = isAlone
    ? 'delivered by this instance'
    : `delivered by this instance alone. Others have bars of their own, and the limit of ${rate.perSecond} is for all together`
  return html`<figure class="chart" data-chart data-counts="${rate.deliveredBySecond.join(' ')}" data-limit="${rate.perSecond}">
<div class="drawing" data-kept aria-hidden="true"></div>
<figcaption>${sum}, ${whose}.</figcaption>
</figure>
`
}
