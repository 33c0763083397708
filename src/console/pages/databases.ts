import { html, type SafeHtml } from '@remix-run/html-template'
import type { FastifyRequest } from 'fastify'
import { waitAtMost } from '../../lib/deadline.ts'
import { groupBy } from '../../lib/maps.ts'
import type { RateReading } from '../../telemetry/readings.ts'
import { expiriesPart } from '../databases/expiries-part.ts'
import { overviewPart } from '../databases/overview-part.ts'
import { resourcePart } from '../databases/resource-part.ts'
import { tokensByDatabase, tokensOf } from '../databases/tokens-by-database.ts'
import { CONSOLE_PATH } from '../layout.ts'
import type { ConsolePage } from '../page.ts'
import type { ConsoleParts } from '../parts.ts'
import { emptyState } from '../pieces/empty-state.ts'
import { paging } from '../pieces/paging.ts'

const PATH = '/databases'
/** Resources that are shown in full at once. */
const PAGE_SIZE = 12
const MAX_TOKENS = 8
/** A store that does not answer must not keep the page: it then says how old its numbers are. */
const MAX_REFRESH_MS = 700

type DatabasesParts = Pick<ConsoleParts, 'readings' | 'refreshFleetSlots' | 'currentConfig' | 'clock'>

/** Returns the page of each RDS resource: its new tokens against the limits, its slots, who waits, and its live tokens. */
export function databasesPage(parts: DatabasesParts): ConsolePage {
  const { readings, refreshFleetSlots, currentConfig, clock } = parts
  return {
    path: PATH,
    title: 'Databases',
    description: 'How near the new tokens of each RDS resource are to the limits, and what is live.',
    scripts: ['databases'],
    async render(request) {
      await waitAtMost(refreshFleetSlots(), { clock, maxMs: MAX_REFRESH_MS })
      const now = clock.now()
      const rates = readings.rates()
      const all = tokensByDatabase(readings.liveTokens(), MAX_TOKENS)
      const tokens = (rate: RateReading) => tokensOf(rate.databases, { all, shown: MAX_TOKENS })
      const sessions = groupBy(readings.roleSessions(), ({ database }) => database)
      const isAlone = currentConfig().store.type === 'memory'
      const pages = Math.max(1, Math.ceil(rates.length / PAGE_SIZE))
      const page = pageOf(request, pages)
      const shown = rates.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
      return html`${meaning(isAlone)}<div id="databases" class="cards" data-live>
${overviewPart(rates, { urlOf: position => pageUrl(Math.floor(position / PAGE_SIZE) + 1), tokensOf: tokens, now, isAlone })}${
  rates.length === 0 ? emptyState('The configuration names no database.') : null
}${shown.map(rate =>
  resourcePart(rate, {
    ...{ now, isAlone },
    tokens: tokens(rate),
    sessions: rate.databases.flatMap(database => sessions.get(database) ?? []),
  }),
)}${pageLinks({ page, pages, total: rates.length })}${expiriesPart(readings.expiries(), now)}</div>
`
    },
  }
}

function meaning(isAlone: boolean): SafeHtml {
  return html`<p class="meaning">A login with a new token counts against two limits of RDS: about <b>20</b> a second by different identities, and <b>200</b> a second in all, where logins with the same token are not counted. jeton delivers new tokens in even slots below that, at the limit of the configuration. ${
    isAlone
      ? 'This instance keeps its slots in its own memory and knows of no other.'
      : 'Slots are shared by all instances; bars, waiting callers, tokens and role sessions are those of this instance.'
  }</p>
`
}

function pageOf({ query }: FastifyRequest, pages: number): number {
  const { page } = query as { page?: unknown }
  const number = typeof page === 'string' && /^\d{1,6}$/.test(page) ? Number(page) : 1
  return Math.min(Math.max(number, 1), pages)
}

function pageUrl(page: number): string {
  return page === 1 ? `${CONSOLE_PATH}${PATH}` : `${CONSOLE_PATH}${PATH}?page=${page}`
}

function pageLinks({ page, pages, total }: { page: number; pages: number; total: number }): SafeHtml | null {
  if (pages === 1) return null
  const first = (page - 1) * PAGE_SIZE + 1
  const last = Math.min(page * PAGE_SIZE, total)
  const others = (total - (last - first + 1)).toLocaleString('en')
  const text = `Resources ${first} to ${last}, and ${others} more.`
  return paging({ label: 'Resources', text, page, pages, urlOf: pageUrl })
}
