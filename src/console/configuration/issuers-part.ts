import { html, type SafeHtml } from '@remix-run/html-template'
import { audiencesOf } from '../../authentication/audience.ts'
import { determineTenancy } from '../../authorization/tenancy/tenancy.ts'
import type { IssuerConfig } from '../../config/config.ts'
import type { IssuerKeysReading } from '../../telemetry/readings.ts'
import { emptyState } from '../pieces/empty-state.ts'
import { type Column, table } from '../pieces/table.ts'
import { timeAt } from '../pieces/time.ts'

const MAX_KEYS = 10

interface IssuerRow {
  readonly issuer: IssuerConfig
  readonly keys: IssuerKeysReading | undefined
  readonly now: number
}

/** Returns the issuers, with their keys as this instance has them. */
export function issuersPart(
  issuers: readonly IssuerConfig[],
  { readings, now }: { readings: readonly IssuerKeysReading[]; now: number },
): SafeHtml {
  const readingOf = new Map(readings.map(reading => [reading.issuer, reading]))
  return table({
    caption: 'Issuers and their keys',
    columns: COLUMNS,
    rows: issuers.map(issuer => ({ issuer, keys: readingOf.get(issuer.name), now })),
    empty: emptyState('There are no issuers: callers have API keys alone.'),
  })
}

const COLUMNS: readonly Column<IssuerRow>[] = [
  { heading: 'Issuer', cell: ({ issuer }) => issuer.name },
  { heading: 'URL', cell: ({ issuer }) => issuer.issuer },
  { heading: 'Audience', cell: ({ issuer }) => audiencesOf(issuer).join(', ') },
  { heading: 'Tenancy', cell: ({ issuer }) => tenancyText(issuer) },
  { heading: 'Keys', cell: ({ keys }) => keysText(keys) },
  { heading: 'Fetched', cell: fetchedText },
]

function tenancyText({ issuer, tenancy, owner, jwks }: IssuerConfig): string {
  const { kind } = determineTenancy({ issuer, tenancy, owner, hasPinnedKeys: jwks !== undefined })
  return `${kind}${owner === undefined ? '' : `, owner by ${owner.join(', ')}`}`
}

function keysText(reading: IssuerKeysReading | undefined): SafeHtml | string {
  if (reading === undefined) return 'not known yet'
  const { isPinned, keys } = reading
  const more = keys.length - MAX_KEYS
  const texts = keys
    .slice(0, MAX_KEYS)
    .map(({ kid, alg }) => `${kid ?? 'without kid'}${alg === undefined ? '' : ` (${alg})`}`)
  return html`${isPinned ? 'pinned' : 'discovered'}${texts.map(text => html`<div class="key">${text}</div>`)}${more > 0 ? html`<div class="more">and ${more} more</div>` : null}`
}

function fetchedText({ keys, now }: IssuerRow): SafeHtml | string {
  if (keys === undefined) return ''
  const { isPinned, isFailing, fetchedAt } = keys
  if (isPinned) return 'never'
  const fetched = fetchedAt === undefined ? html`not yet` : timeAt(fetchedAt, now)
  return html`${fetched}${isFailing ? html` <span class="bad">the last fetch failed</span>` : null}`
}
