import { html, type SafeHtml } from '@remix-run/html-template'
import { relativeTime } from './relative-time.ts'

/** Returns a moment as people say it, `12 s ago` or `in 4 min`, with the exact time in `datetime` and when pointed at. */
export function timeAt(at: number, now: number): SafeHtml {
  const exact = new Date(at).toISOString()
  return html`<time datetime="${exact}" title="${exact}" data-relative>${relativeTime(at - now)}</time>`
}

/** Returns a moment that has passed, as the time of its day in UTC, with the date if that is not today's; exact when pointed at. */
export function momentAt(at: number, now: number): SafeHtml {
  const exact = new Date(at).toISOString()
  const day = exact.slice(0, 10)
  const time = exact.slice(11, 19)
  const text = new Date(now).toISOString().startsWith(day) ? time : `${day} ${time}`
  return html`<time datetime="${exact}" title="${exact}">${text}</time>`
}
