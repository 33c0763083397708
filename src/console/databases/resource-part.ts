import { html, type SafeHtml } from '@remix-run/html-template'
import { countText } from '../../lib/count-text.ts'
import type { RateReading, RoleSessionReading } from '../../telemetry/readings.ts'
import { sourceNote } from '../pieces/source-note.ts'
import { timeAt } from '../pieces/time.ts'
import { chartPart } from './chart-part.ts'
import type { LiveTokens } from './tokens-by-database.ts'
import { tokensPart } from './tokens-part.ts'

/** Grants with callers that wait, of which so many are named. */
const MAX_GRANTS = 8

export interface ResourceContext {
  readonly tokens: LiveTokens
  /** Those of its databases. */
  readonly sessions: readonly RoleSessionReading[]
  readonly now: number
  /** Whether no other instance shares its record of slots. */
  readonly isAlone: boolean
}

/** Returns the id of a resource's part, by which links lead to it. */
export function resourceId(resource: string): string {
  return `resource-${resource}`
}

/** Returns whose numbers of slots are shown. */
export function slotsSource(isAlone: boolean): string {
  return isAlone ? 'this instance’s record of slots' : 'the fleet’s record'
}

/** Returns what an instance knows of one RDS resource, each number with its source and its age. */
export function resourcePart(rate: RateReading, context: ResourceContext): SafeHtml {
  const { resource, databases } = rate
  const id = resourceId(resource)
  const label = databases.join(', ')
  return html`<section class="resource card" id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${label} <code>${resource}</code></h2>
${chartPart(rate, context)}
<dl class="figures">
${slotFigures(rate, context)}${ownFigures(rate, context)}</dl>
<details id="${id}-tokens" open><summary>Live tokens</summary>
${tokensPart(context.tokens, { label, now: context.now })}</details>
</section>
`
}

function slotFigures({ fleet, horizonMs }: RateReading, { now, isAlone }: ResourceContext): SafeHtml {
  const note = sourceNote({ source: slotsSource(isAlone), at: fleet?.readAt, now })
  const seconds = horizonMs / 1000
  const total = fleet ? fleet.free + fleet.reserved : 0
  return html`${figure('Next free slot', fleet ? waitText(fleet.nextFreeAt - now) : '–', note)}${figure(
    `Slots free of the next ${seconds} s`,
    fleet
      ? html`${fleet.free} <small>of ${Math.max(total, fleet.free)}</small> <meter min="0" max="${Math.max(total, 1)}" value="${fleet.free}" aria-hidden="true"></meter>`
      : '–',
    note,
  )}${figure('Slots reserved', fleet ? String(fleet.reserved) : '–', note)}`
}

function ownFigures(
  { waiting, delivered, perSecond }: RateReading,
  { tokens, sessions, now }: ResourceContext,
): SafeHtml {
  const note = sourceNote({ source: 'this instance', at: now, now })
  const callers = waiting.reduce((sum, each) => sum + each.callers, 0)
  const [first] = [...sessions].sort((one, other) => one.expiresAt - other.expiresAt)
  return html`${figure(
    'Limit of new tokens',
    html`${perSecond} <small>a second</small>`,
    html`<span class="source">the configuration</span>`,
  )}${figure('Live tokens', tokens.count.toLocaleString('en'), note)}${figure(
    'Role sessions',
    html`${sessions.length.toLocaleString('en')}${first && html` <small>first ends ${timeAt(first.expiresAt, now)}</small>`}`,
    note,
  )}${figure('New tokens since its start', delivered.toLocaleString('en'), note)}${figure(
    'Waiting for a slot',
    waitingText(callers, waiting),
    note,
  )}`
}

function waitingText(callers: number, waiting: RateReading['waiting']): SafeHtml {
  if (callers === 0) return html`nobody`
  const most = [...waiting].sort((one, other) => other.callers - one.callers)
  const more = most.length - MAX_GRANTS
  return html`${callers.toLocaleString('en')}<ul class="waiting">${most
    .slice(0, MAX_GRANTS)
    .map(
      ({ grant, callers: ofGrant }) => html`<li><b>${ofGrant.toLocaleString('en')}</b> by ${grant}</li>`,
    )}${more > 0 ? html`<li>and ${countText(more, 'more grant')}</li>` : null}</ul>`
}

function waitText(ms: number): string {
  return ms <= 0 ? 'now' : `in ${(ms / 1000).toFixed(1)} s`
}

function figure(name: string, value: SafeHtml | string, note: SafeHtml): SafeHtml {
  return html`<div><dt>${name}</dt><dd><span class="value">${value}</span> ${note}</dd></div>\n`
}
