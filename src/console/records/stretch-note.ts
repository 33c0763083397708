import { html, type SafeHtml } from '@remix-run/html-template'
import type { RecordsOrigin, Stretch } from '../../audit/recent-records.ts'
import { countText } from '../../lib/count-text.ts'
import { shownText } from '../pieces/shown-text.ts'
import { momentAt, timeAt } from '../pieces/time.ts'

/** Returns whose records a page shows, how old they are, and from when to when it has looked. */
export function stretchNote(
  stretch: Stretch,
  { origin, now }: { origin: RecordsOrigin; now: number },
): SafeHtml {
  const { readAt, from, to, unreadable } = stretch
  return html`<p class="source">${originText(origin)} Read ${timeAt(readAt, now)}.
${
  from === undefined || to === undefined
    ? 'There was no record to look at.'
    : html`Looked at all from ${momentAt(to, now)} back to ${momentAt(from, now)} UTC.`
}
${unreadable > 0 ? html`<b>${countText(unreadable, 'line')}</b> there cannot be read as records: <code>jeton audit verify</code> says which.` : null}</p>`
}

/** Returns what there is beyond what was looked at. */
export function beyondText({ kind }: RecordsOrigin): string {
  if (kind === 'memory') return 'There is nothing further back in the memory of this instance.'
  if (kind === 'table') return 'There is nothing further back.'
  return 'There is nothing further back in this file and in those that it was rotated to. Compressed ones are searched with jeton audit query.'
}

function originText({ kind, name }: RecordsOrigin): SafeHtml {
  if (kind === 'table') return html`Records of all instances, from the table <b>${shownText(name)}</b>.`
  if (kind === 'file')
    return html`Records of <b>this instance alone</b>, from its file <b>${shownText(name)}</b>.`
  return html`Records of <b>this instance alone</b>, from its memory: the last 20,000 of what it has written to ${shownText(name)} since it started.`
}
