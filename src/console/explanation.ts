import { html, type SafeHtml } from '@remix-run/html-template'
import type { ShownCondition } from '../authorization/explain.ts'
import { countText } from '../lib/count-text.ts'
import { escapeText, shorten } from '../lib/printable.ts'
import type { ExplainedAccess, ExplainedGrant } from '../vending/explained-access.ts'
import { type Column, table } from './pieces/table.ts'

/** The most grants that are shown, the nearest ones. */
export const MAX_EXPLAINED_GRANTS = 20
const MAX_CONDITIONS = 50
/** Of each list of users or of wanted patterns. */
const MAX_LISTED = 10
const MAX_TEXT_LENGTH = 200

/** Returns what grants decide, as a part of the page; `total` is how many grants there are. */
export function explanation(
  { principal, notes, grants, isGranted }: ExplainedAccess,
  { total }: { total: number },
): SafeHtml {
  const [first] = grants
  const verdict = isGranted ? html`<strong>${first?.grant}</strong> allows it` : 'No grant allows it'
  return html`<h2 class="verdict ${isGranted ? 'good' : 'bad'}">${verdict}</h2>
<p>Issuer <strong>${principal.issuer}</strong>, subject <code>${shown(principal.subject)}</code></p>
${notes.length === 0 ? null : html`<ul class="notes" aria-label="Notes">\n${notes.map(note => html`<li>${note}</li>\n`)}</ul>\n`}${grants.map(grantPart)}${
  total > grants.length
    ? html`<p class="more">and ${countText(total - grants.length, 'more grant')}, none of them nearer</p>`
    : null
}`
}

function grantPart({ grant, database, users, misses, conditions, hint }: ExplainedGrant): SafeHtml {
  const verdict =
    misses === 0
      ? 'allows it'
      : `${misses} of ${countText(conditions.length, 'condition')} ${misses === 1 ? 'misses' : 'miss'}`
  const id = `grant-${grant}`
  return html`<section class="explained-grant" aria-labelledby="${id}">
<h3 id="${id}">${grant} <span class="${misses === 0 ? 'good' : 'bad'}">${verdict}</span></h3>
<p>Database ${database}, ${users.length === 1 ? 'user' : 'users'} ${listed(users, ', ')}</p>
${table({ caption: `Conditions of ${grant}`, columns: CONDITION_COLUMNS, rows: conditions.slice(0, MAX_CONDITIONS), more: conditions.length - MAX_CONDITIONS })}${hint === undefined ? null : html`<p class="hint">Hint: ${hint}.</p>`}
</section>
`
}

const CONDITION_COLUMNS: readonly Column<ShownCondition>[] = [
  { heading: 'Condition', cell: ({ name }) => shown(name) },
  { heading: 'Wanted', cell: ({ wanted }) => listed(wanted, ' or ') },
  { heading: 'Found', cell: ({ found }) => found ?? 'nothing' },
  {
    heading: 'Result',
    cell: ({ holds }) => html`<span class="${holds ? 'good' : 'bad'}">${holds ? 'holds' : 'misses'}</span>`,
  },
]

function listed(texts: readonly string[], separator: string): string {
  const more = texts.length > MAX_LISTED ? `${separator}${texts.length - MAX_LISTED} more` : ''
  return texts.slice(0, MAX_LISTED).map(shown).join(separator) + more
}

/** What others chose may turn the direction of writing, or have no shape. */
function shown(text: string): string {
  return escapeText(shorten(text, MAX_TEXT_LENGTH))
}
