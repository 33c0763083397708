import { html, type SafeHtml } from '@remix-run/html-template'
import type { LiveToken } from '../../telemetry/readings.ts'
import { emptyState } from '../pieces/empty-state.ts'
import { table } from '../pieces/table.ts'
import { timeAt } from '../pieces/time.ts'
import type { LiveTokens } from './tokens-by-database.ts'

/** Returns the live tokens that end first, without the tokens themselves. */
export function tokensPart(
  { count, soonest }: LiveTokens,
  { label, now }: { label: string; now: number },
): SafeHtml {
  return table<LiveToken>({
    caption: `Live tokens of ${label}, those that end first`,
    columns: [
      { heading: 'Database', cell: ({ database }) => database },
      { heading: 'User', cell: ({ user }) => user },
      {
        heading: 'Session',
        cell: ({ identity }) => html`<code>${identity.slice(identity.lastIndexOf('/') + 1)}</code>`,
      },
      { heading: 'Renewal', cell: ({ refreshAfter }) => renewal(refreshAfter, now) },
      { heading: 'End', cell: ({ expiresAt }) => timeAt(expiresAt, now) },
      { heading: 'From', cell: ({ isMintedHere }) => (isMintedHere ? 'this instance' : 'the store') },
      { heading: 'Fingerprint', cell: ({ fingerprint }) => html`<code>${fingerprint.slice(0, 12)}</code>` },
    ],
    rows: soonest,
    more: count - soonest.length,
    empty: emptyState('No live token: the next caller gets a new one, in a slot of its own.'),
  })
}

/** A token is renewed by the first request from then on, so that one which nobody asks for is not. */
function renewal(refreshAfter: number, now: number): SafeHtml {
  return refreshAfter <= now ? html`with the next request` : timeAt(refreshAfter, now)
}
