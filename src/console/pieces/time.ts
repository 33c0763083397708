import { html, type SafeHtml } from '@remix-run/html-template'
import { relativeTime } from './relative-time.ts'

/** Returns a moment as people say it, `12 s ago` or `in 4 min`, with the exact time in `datetime` and when pointed at. */
export function timeAt(at: number, now: number): SafeHtml {
  const exact = new Date(at).toISOString()
  return html`<time datetime="${exact}" title="${exact}" data-relative>${relativeTime(at - now)}</time>`
}
